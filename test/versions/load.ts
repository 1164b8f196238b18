import type { Load } from '../long/layouts/library.ts'

/** Modules of the versions of Better Auth that package.json beside this file lists. */
export const load: Load = (specifier) => import(specifier)
