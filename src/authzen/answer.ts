import type { Decision as Recorded } from '../domain/audit.ts'
import type { Place } from '../domain/fair-queue.ts'
import { LARGEST_SIZE } from '../domain/limits.ts'
import { points } from '../domain/points.ts'
import type { Context } from '../graph/context.ts'
import type { LetIn } from '../let-in.ts'
import type { Admission } from '../operation/admission.ts'
import { asRequestError, type Challenge } from '../operation/errors.ts'
import { checkCost, type DocumentLimits } from '../operation/limits.ts'
import type { Tell } from '../operation/tell.ts'
import { Pace, type TurnsByWeight } from '../operation/turns.ts'
import type { RequestScope } from '../scope.ts'
import { evaluate, evaluateAll } from './evaluation.ts'
import { organizationFinder } from './mapping.ts'
import { type Reply, refuseWith, replyWith } from './reply.ts'
import {
  type Evaluation,
  type Evaluations,
  readEvaluation,
  readEvaluations,
  readSearch,
  type Search,
} from './request.ts'
import { searchActions, searchResources, searchSubjects } from './search.ts'

/** What may be asked, by the path at which it is. */
export const paths = {
  evaluation: '/access/v1/evaluation',
  evaluations: '/access/v1/evaluations',
  'search/subject': '/access/v1/search/subject',
  'search/resource': '/access/v1/search/resource',
  'search/action': '/access/v1/search/action',
} as const
export type Route = keyof typeof paths

export interface AuthzenParts {
  readonly organizationTypes: readonly string[]
  /** What the paths are below, for proofs that come with tokens; `null`: it is not known. */
  readonly baseUrl: string | null
  readonly admission: Admission
  readonly letIn: LetIn
  readonly turns: TurnsByWeight
  readonly limits: DocumentLimits
  readonly challenge: Challenge
  readonly tell: Tell
}

/** Answers what was sent to a path. */
export type AuthzenAnswer = (
  route: Route,
  sent: unknown,
  headers: Pick<Headers, 'get'>,
  scope: RequestScope,
) => Promise<Reply>

/** What was asked, as far as it is known before anybody is let in. */
interface Asked {
  readonly points: number
  readonly answer: (context: Context) => Promise<Told>
}

interface Told {
  readonly answer: object
  readonly records: readonly Recorded[]
}

/**
 * The Authorization API 1.0 of OpenID AuthZEN, over what the fields of the graph answer. The steps are those of
 * answer.ts, and it lets the same callers in by the same rules.
 */
export function createAuthzenAnswer(parts: AuthzenParts): AuthzenAnswer {
  const { admission, letIn, turns, limits, challenge, tell, baseUrl } = parts
  const read = createReader(parts.organizationTypes)

  return async (route, sent, headers, scope) => {
    const pace = new Pace(turns, scope)
    const path = paths[route]
    let entered = false
    let place: Place | undefined
    try {
      scope.asked++
      admission.enter(scope)
      entered = true
      scope.operations.push({ type: 'authzen', name: `authzen/${route}` })
      const { points, answer } = read(route, sent)
      scope.cost += points
      checkCost(scope.cost, limits)

      const url = baseUrl === null ? null : `${baseUrl}${path}`
      const caller = await letIn({ scope, headers, pace, points, url })
      place = caller.place
      const told = await answer(caller.context)

      caller.trail?.note([path], false, told.records)
      caller.trail?.end({ data: null })
      return replyWith(told.answer)
    } catch (error) {
      return refuseWith(tell(scope, [asRequestError(error, challenge)]))
    } finally {
      place?.leave()
      if (entered) admission.leave(scope)
    }
  }
}

function createReader(organizationTypes: readonly string[]) {
  const organizationOf = organizationFinder(organizationTypes)
  const one = (asked: Evaluation, field: string): Asked => ({
    points: costOf(asked),
    answer: (context) => evaluate(asked, organizationOf, context, field),
  })
  const several = (asked: Evaluations, field: string): Asked => ({
    points: asked.entries.reduce(
      (sum, entry) => sum + ('subject' in entry ? costOf(entry) : points.object),
      0,
    ),
    answer: async (context) => {
      const decided = await evaluateAll(asked, organizationOf, context, field)
      return {
        answer: { evaluations: decided.map(({ answer }) => answer) },
        records: decided.flatMap(({ records }) => records),
      }
    },
  })
  const search = (
    asked: Search,
    points: number,
    find: typeof searchSubjects,
    field: string,
  ): Asked => ({
    points,
    answer: (context) => find(asked, organizationOf, context, field),
  })
  return (route: Route, sent: unknown): Asked => {
    const field = paths[route]
    switch (route) {
      case 'evaluation':
        return one(readEvaluation(sent), field)
      case 'evaluations': {
        const asked = readEvaluations(sent)
        return 'entries' in asked ? several(asked, field) : one(asked, field)
      }
      case 'search/subject': {
        const asked = readSearch(sent, 'subject')
        return search(asked, costOfList(asked), searchSubjects, field)
      }
      case 'search/resource': {
        const asked = readSearch(sent, 'resource')
        return search(asked, costOfList(asked), searchResources, field)
      }
      case 'search/action':
        return search(readSearch(sent, 'action'), OF_ACTIONS, searchActions, field)
      default:
        return route satisfies never
    }
  }
}

/* The same in points as fields of the graph that answer the same: see points.ts. */

const OF_ONE = points.object + points.permission
/** The roles of the person, and what each grants. */
const OF_AN_EXPLANATION = points.statement + points.permission + points.objects
const OF_ACTIONS = points.permission + points.values

function costOf({ explain }: Evaluation): number {
  return explain ? OF_ONE + OF_AN_EXPLANATION : OF_ONE
}

function costOfList({ page }: Search): number {
  const size = page?.limit ?? LARGEST_SIZE
  const filter = points.filters['filter.permission']?.page ?? 0
  return points.statement + points.page + filter + size * (points.row + points.object)
}
