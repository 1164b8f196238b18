import type { Load } from '../long/layouts/library.ts'

/** Modules of Better Auth with Drizzle's adapter, of Drizzle and of Better Auth's own generators. */
export const load: Load = (specifier) => import(specifier)
