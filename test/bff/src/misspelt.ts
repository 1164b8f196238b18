import { ask } from './gateway.ts'
import { leavePage } from './leave-page.ts'
import type { Permission } from './permission.ts'

// Compiled, never run: every line after a comment must be an error, or the compiler complains about the comment.
const gateway = { url: '', authorization: '' }

// @ts-expect-error no role grants it
export const permission: Permission = 'leave:aprove'

// @ts-expect-error no role grants it
export const page = ask(gateway, leavePage, { approve: 'leave:aprove', first: 1 })

// @ts-expect-error permissions are no plain text
export const text: Permission = 'leave:approve' as string
