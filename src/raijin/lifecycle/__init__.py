"""What is done to a cluster: each verb is a literal list of stages, each stage a function named by its intent."""
