// Package controllers stands in for sigs.k8s.io/mcs-api/controllers, a module that cannot be fetched.
// Cilium takes one name from it.
package controllers

// DerivedServiceAnnotation names the service derived from a ServiceImport
// (Cilium's Documentation/network/clustermesh/mcsapi.rst).
const DerivedServiceAnnotation = "multicluster.kubernetes.io/derived-service"
