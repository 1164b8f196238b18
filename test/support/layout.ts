import { loadNames, readLayout } from '../../src/gateway.ts'

/** The house layout, in which Better Auth makes its tables for the tests. */
export const { prismaSchema } = loadNames({})
export const layout = readLayout({ prismaSchema })
