import type { Features } from '../domain/features.ts'
import type { Builder } from './builder.ts'
import type { Refs } from './refs.ts'

/** What a type's file adds itself to. */
export interface Graph {
  readonly builder: Builder
  readonly refs: Refs
  readonly features: Features
}
