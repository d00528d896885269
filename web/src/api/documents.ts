// Documents that the OpenAPI description gives as free objects, as the server writes them: the fields that pages read.
export interface System {
  version: string;
  rehearsal?: boolean;
}

export interface Change {
  thing: string;
  field: string;
  before: string;
  after: string;
  ripple: string;
}

export interface PlanStep {
  id: string;
  stage: string;
  target: string;
  title: string;
  changes: Change[];
  disruption: string;
}

export interface PlanDocument {
  cluster: string;
  digest: string;
  notes: string[];
  disruption: string;
  estimate: number;
  hosts: string[];
  steps: PlanStep[];
  runbook: string;
}

export interface HostRow {
  name: string;
  address: string;
  definition: string;
  cluster: string;
  key: string;
}

interface SiteNetwork {
  name: string;
  cidr?: string;
  vlan?: number;
  gateway?: string;
}

export interface SiteDocument {
  name: string;
  definition: string;
  hosts: { name: string; address?: string }[];
  networks: SiteNetwork[];
  wanLinks: { interface: string; weight?: number }[];
  wanBalance: string;
  nas: string[];
  clusters: { name: string; virtualIp: string; endpoint: string; hosts: { name: string; role: string }[] }[];
}

/** created and verified: seconds since the epoch; sizes in bytes. */
export interface BackupRow {
  id: string;
  created: number;
  version: string;
  verified: number | null;
  fault: string | null;
  copies: { target: string; size: number }[];
}

export interface BackupList {
  backups: BackupRow[];
  faults: string[];
}

export interface CertificateRow {
  node: string;
  path: string;
  subject: string;
  expires: string;
  days_left: number;
  state: string;
  renewed_by: string;
  fault: string;
}

export interface CertificateList {
  certificates: CertificateRow[];
  faults: string[];
}

export interface AuditEntry {
  number: number;
  at: number;
  who: string;
  origin: string;
  action: string;
  target: string;
  result: string;
  address: string;
  run: string;
}
