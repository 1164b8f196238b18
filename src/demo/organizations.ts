/** An organization as the seed makes it. People are named by their usernames. */
export interface OrganizationPlan {
  readonly name: string
  readonly slug: string
  readonly metadata: Readonly<Record<string, unknown>>
  /** Creates it, and so becomes its owner. */
  readonly owner: string
  readonly members: Readonly<Record<string, readonly string[]>>
  /** Departments. */
  readonly teams: Readonly<Record<string, readonly string[]>>
  /** Roles that are kept in the database: resource, actions. */
  readonly dynamicRoles?: Readonly<Record<string, Record<string, string[]>>>
  /** Not answered yet: address, role. */
  readonly invitations?: Readonly<Record<string, 'member' | 'admin' | 'auditor'>>
}

export const organizationPlans: readonly OrganizationPlan[] = [
  {
    name: 'Harbor Logistics',
    slug: 'harbor-logistics',
    metadata: { industry: 'freight', plan: 'business', seats: 25 },
    owner: 'jonas.lindqvist',
    members: {
      'amara.okafor': ['member', 'auditor'],
      'priya.raman': ['admin'],
      'tomas.herrera': ['member', 'approver'],
      'grace.mensah': ['member', 'leave-clerk'],
      'ravi.kulkarni': ['member'],
      'ewa.nowak': ['member'],
    },
    teams: {
      Operations: ['tomas.herrera', 'ravi.kulkarni', 'ewa.nowak'],
      'People and Culture': ['grace.mensah', 'priya.raman'],
    },
    dynamicRoles: { 'leave-clerk': { leave: ['request', 'approve'] } },
    invitations: { 'new.driver@harbor.example': 'member' },
  },
  {
    name: 'Northlight Clinic',
    slug: 'northlight-clinic',
    metadata: { industry: 'health', plan: 'enterprise' },
    owner: 'daniel.osei',
    members: {
      'hana.kim': ['admin', 'approver'],
      'leila.haddad': ['member', 'approver'],
      'peter.vogel': ['member', 'auditor'],
      'ines.moreau': ['member', 'ward-manager'],
      'samuel.adeyemi': ['member'],
      'amara.okafor': ['admin'],
    },
    teams: {
      'Ward A': ['ines.moreau', 'leila.haddad'],
      'Ward B': ['samuel.adeyemi', 'leila.haddad'],
      Finance: ['peter.vogel'],
    },
    dynamicRoles: { 'ward-manager': { leave: ['approve'], report: ['read'], team: ['update'] } },
    invitations: { 'dr.locum@northlight.example': 'member' },
  },
  {
    name: 'Atlas Studio',
    slug: 'atlas-studio',
    metadata: { industry: 'design', plan: 'starter' },
    owner: 'chloe.bennett',
    members: {
      'mateo.silva': ['admin'],
      'yuki.sato': ['member'],
      'olga.ivanova': ['member', 'recruiter'],
      'zoe.papadakis': ['member'],
    },
    teams: { Design: ['yuki.sato', 'zoe.papadakis'], Talent: ['olga.ivanova'] },
  },
  {
    name: 'Fernwood School',
    slug: 'fernwood-school',
    metadata: { industry: 'education' },
    owner: 'henrik.dahl',
    members: {
      'fatima.zahra': ['admin', 'approver'],
      'arjun.mehta': ['member', 'approver'],
      'lucy.hartmann': ['member'],
      'noah.cohen': ['member'],
      'hana.kim': ['auditor'],
    },
    teams: { Sciences: ['arjun.mehta', 'noah.cohen'], Languages: ['lucy.hartmann'] },
    invitations: { 'inspector@county.example': 'auditor' },
  },
  {
    name: 'Quarry Robotics',
    slug: 'quarry-robotics',
    metadata: { industry: 'manufacturing', plan: 'business', seats: 60 },
    owner: 'sofia.rossi',
    members: {
      'marcus.reid': ['admin'],
      'linh.tran': ['member', 'approver'],
      'anders.holm': ['member'],
      'nadia.benali': ['member', 'auditor'],
      'mateo.silva': ['member'],
      'mei.tanaka': ['member'],
    },
    teams: { Firmware: ['linh.tran', 'anders.holm'], Compliance: ['nadia.benali'] },
  },
  {
    name: 'Tidewater Foundation',
    slug: 'tidewater-foundation',
    metadata: { industry: 'charity' },
    owner: 'amara.okafor',
    members: {
      'isabel.duarte': ['admin', 'recruiter'],
      'kwame.boateng': ['member', 'approver'],
      'peter.vogel': ['auditor'],
    },
    teams: { Grants: ['isabel.duarte', 'kwame.boateng'] },
  },
]
