import type { RequestScope } from '../scope.ts'

export type Admission = ReturnType<typeof createAdmission>

/** How many operations may be under way at once. More are refused at once: a queue without end helps nobody. */
export function createAdmission(most: number, onShed: () => void) {
  let underWay = 0
  return {
    underWay: () => underWay,
    /** Whether there is room for one more; then `leave` follows. */
    enter: (scope: RequestScope): boolean => {
      if (underWay >= most) {
        scope.shed = true
        onShed()
        return false
      }
      underWay++
      scope.admitted++
      return true
    },
    /** At the end of an operation; a request that ends leaves with all it still has. */
    leave: (scope: RequestScope, operations = 1): void => {
      const leaving = Math.min(operations, scope.admitted)
      scope.admitted -= leaving
      underWay -= leaving
    },
  }
}
