import { GatewayError } from '../domain/errors.ts'
import { checkKey, checkLength, LARGEST_SIZE, MOST_KEYS } from '../domain/limits.ts'
import type { Consistency } from '../domain/permission.ts'

/*
 * What the Authorization API 1.0 sends, read by hand because it is what a decision costs most of. Members that mean
 * nothing here are ignored, as the specification demands; of `context` these mean something:
 * `consistency` ("FRESH") and `explain` (true).
 */

/** Somebody, or with an empty id whoever is searched for. */
export interface Subject {
  readonly type: string
  readonly id: string
}

export interface Resource {
  readonly type: string
  readonly id: string
  /** `properties.organizationId`. */
  readonly organizationId: string | null
}

/** How the caller would have it answered. */
export interface Wishes {
  readonly consistency: Consistency
  readonly explain: boolean
}

export interface Evaluation extends Wishes {
  readonly subject: Subject
  readonly action: string
  readonly resource: Resource
}

/** One of several that cannot be made sense of: its answer says so, and the others are answered. */
export type Entry = Evaluation | GatewayError

const semantics = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const

export interface Evaluations {
  readonly semantic: (typeof semantics)[number]
  readonly entries: readonly Entry[]
}

export interface Search extends Omit<Evaluation, 'explain'> {
  /** `null`: no page was asked for. */
  readonly page: { readonly limit: number | null; readonly token: string | null } | null
}

type Members = Readonly<Record<string, unknown>>
/** Which of the two has to be identified; the other is what is searched for. */
type Given = { readonly subject: boolean; readonly resource: boolean; readonly action: boolean }
const all: Given = { subject: true, resource: true, action: true }

/** @throws GatewayError BAD_REQUEST or BAD_USER_INPUT, as all of these */
export function readEvaluation(sent: unknown): Evaluation {
  const body = objectOf(sent, 'The body')
  return evaluationOf(partsOf(body, all))
}

/** Without entries, it is a single evaluation. */
export function readEvaluations(sent: unknown): Evaluation | Evaluations {
  const body = objectOf(sent, 'The body')
  const { evaluations, options } = body
  if (evaluations !== undefined && !Array.isArray(evaluations))
    throw bad('evaluations must be an array.')
  const semantic = semanticOf(options)
  if (evaluations === undefined || evaluations.length === 0) return readEvaluation(body)
  checkLength(evaluations, 'evaluations', MOST_KEYS)
  const defaults = partsOf(body, all)
  const entries = evaluations.map((entry: unknown): Entry => {
    try {
      const own = partsOf(objectOf(entry, 'An evaluation'), all)
      return evaluationOf({
        subject: own.subject ?? defaults.subject,
        action: own.action ?? defaults.action,
        resource: own.resource ?? defaults.resource,
        wishes: own.wishes ?? defaults.wishes,
      })
    } catch (error) {
      if (error instanceof GatewayError) return error
      throw error
    }
  })
  return { semantic, entries }
}

/** @param of What is searched for, whose id is ignored. */
export function readSearch(sent: unknown, of: 'subject' | 'resource' | 'action'): Search {
  const body = objectOf(sent, 'The body')
  const { explain: _, ...found } = evaluationOf(partsOf(body, { ...all, [of]: false }))
  return { ...found, page: pageOf(body.page) }
}

interface Parts {
  readonly subject: Subject | undefined
  readonly action: string | undefined
  readonly resource: Resource | undefined
  readonly wishes: Wishes | undefined
}

/** Those that are there. */
function partsOf(body: Members, given: Given): Parts {
  const { subject, action, resource, context } = body
  return {
    subject: subject === undefined ? undefined : subjectOf(subject, given.subject),
    action: given.action ? (action === undefined ? undefined : actionOf(action)) : '',
    resource: resource === undefined ? undefined : resourceOf(resource, given.resource),
    wishes: context === undefined ? undefined : wishesOf(context),
  }
}

function evaluationOf({ subject, action, resource, wishes = NONE }: Parts): Evaluation {
  if (subject === undefined) throw bad('subject is missing.')
  if (action === undefined) throw bad('action is missing.')
  if (resource === undefined) throw bad('resource is missing.')
  const { consistency, explain } = wishes
  return { subject, action, resource, consistency, explain }
}

function subjectOf(sent: unknown, isGiven: boolean): Subject {
  const { type, id } = objectOf(sent, 'subject')
  return { type: textOf(type, 'subject.type'), id: isGiven ? textOf(id, 'subject.id') : '' }
}

function actionOf(sent: unknown): string {
  return textOf(objectOf(sent, 'action').name, 'action.name')
}

function resourceOf(sent: unknown, isGiven: boolean): Resource {
  const { type, id, properties } = objectOf(sent, 'resource')
  const { organizationId } =
    properties === undefined ? {} : (objectOf(properties, 'resource.properties') as Members)
  return {
    type: textOf(type, 'resource.type'),
    id: isGiven ? textOf(id, 'resource.id') : '',
    organizationId:
      organizationId === undefined
        ? null
        : textOf(organizationId, 'resource.properties.organizationId'),
  }
}

const NONE: Wishes = { consistency: 'CACHED', explain: false }

function wishesOf(sent: unknown): Wishes {
  const { consistency, explain } = objectOf(sent, 'context')
  return { consistency: consistency === 'FRESH' ? 'FRESH' : 'CACHED', explain: explain === true }
}

function semanticOf(options: unknown): Evaluations['semantic'] {
  if (options === undefined) return 'execute_all'
  const { evaluations_semantic: given = 'execute_all' } = objectOf(options, 'options')
  const semantic = semantics.find((name) => name === given)
  if (semantic === undefined)
    throw bad(`options.evaluations_semantic must be one of ${semantics.join(', ')}.`)
  return semantic
}

function pageOf(sent: unknown): Search['page'] {
  if (sent === undefined) return null
  const { limit, token } = objectOf(sent, 'page')
  if (limit !== undefined && !(Number.isSafeInteger(limit) && (limit as number) >= 0))
    throw bad('page.limit must be a whole number, 0 or more.')
  if (token !== undefined && typeof token !== 'string') throw bad('page.token must be a string.')
  return {
    limit: limit === undefined ? null : Math.min(LARGEST_SIZE, limit as number),
    token: token === undefined || token === '' ? null : token,
  }
}

function objectOf(sent: unknown, what: string): Members {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent))
    throw bad(`${what} must be an object.`)
  return sent as Members
}

function textOf(sent: unknown, what: string): string {
  if (sent === undefined) throw bad(`${what} is missing.`)
  if (typeof sent !== 'string') throw bad(`${what} must be a string.`)
  return checkKey(sent, what)
}

function bad(message: string): GatewayError {
  return new GatewayError('BAD_REQUEST', message)
}
