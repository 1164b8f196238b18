import type { PermissionService } from '../domain/permission.ts'

/** The same service, for whoever is told that something has changed: every question is answered by the database. */
export function freshly(service: PermissionService): PermissionService {
  return {
    isDefined: (permission) => service.isDefined(permission),
    resolve: (subjects) => service.resolve(subjects, 'FRESH'),
    describeRoles: (organizationIds) => service.describeRoles(organizationIds),
    findHeldRoles: (subjects) => service.findHeldRoles(subjects),
    findGrantingRoles: (permission, organizations) =>
      service.findGrantingRoles(permission, organizations),
  }
}
