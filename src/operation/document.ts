import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  NoFragmentCyclesRule,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  OverlappingFieldsCanBeMergedRule,
  specifiedRules,
  type ValidationRule,
  validate,
} from 'graphql'
import type { CompiledQuery } from 'graphql-jit'
import { costOf } from './cost.ts'
import { COMPILED_AT, compile, type Execution, fits, runCompiled } from './engine.ts'
import { badDocument, badRequest } from './errors.ts'
import { type DocumentLimits, findComparisons, findExcess, parseWithin } from './limits.ts'
import { type Shape, shapeOf } from './shape.ts'
import { UnconditionalSubscriptionsRule } from './unconditional-subscriptions.ts'
import { withoutStacks } from './without-stacks.ts'

export interface DocumentRules {
  readonly schema: GraphQLSchema
  readonly limits: DocumentLimits
  /** Whether documents may ask for the graph itself, and errors name parts of it that the client did not name. */
  readonly introspection: boolean
}

/** Nobody reads more at once, and each costs more than the checks that find it. */
const MOST_VALIDATION_ERRORS = 3

/**
 * All that is known of one text, each found out when it is first asked for: the parsed document, its shape, what is
 * wrong with it, what its operations cost, and the function it is compiled to once it came often.
 */
export class Document {
  readonly #text: string
  readonly #rules: DocumentRules
  readonly #onCompiled: (fields: number) => void
  #parsed: DocumentNode | GraphQLError | undefined
  #shape: Shape | undefined
  #problems: readonly GraphQLError[] | undefined
  /** Of operations whose cost no variable decides, in points. */
  readonly #costs = new Map<OperationDefinitionNode, number>()
  #times = 0
  #compiled: CompiledQuery['query'] | null = null

  /** @param onCompiled Told once how many fields were compiled. */
  constructor(text: string, rules: DocumentRules, onCompiled: (fields: number) => void = () => {}) {
    this.#text = text
    this.#rules = rules
    this.#onCompiled = onCompiled
  }

  /** Whether it is known what is wrong with it, which takes long to find out. */
  get isChecked(): boolean {
    return this.#problems !== undefined
  }

  get isCompiled(): boolean {
    return this.#compiled !== null
  }

  /** @throws GraphQLError GRAPHQL_PARSE_FAILED, LIMIT_EXCEEDED, or BAD_REQUEST when no such operation is there. */
  operation(name: string | undefined): OperationDefinitionNode {
    const operation = getOperationAST(this.#parse(), name)
    if (operation) return operation
    throw badRequest(400, 'Could not determine what operation to execute.')
  }

  /** What keeps it from being executed at all: a limit, or errors of validation. */
  problems(): readonly GraphQLError[] {
    this.#problems ??= this.#findProblems()
    return this.#problems
  }

  /** In points, as `costOf` counts them. */
  costOf(operation: OperationDefinitionNode, variables: Readonly<Record<string, unknown>>): number {
    const known = this.#costs.get(operation)
    if (known !== undefined) return known
    const { schema } = this.#rules
    const cost = costOf(schema, this.#measure().fragments, operation, variables)
    if (!cost.byVariables) this.#costs.set(operation, cost.points)
    return cost.points
  }

  run(
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
    context: Execution['contextValue'],
  ): ExecutionResult | Promise<ExecutionResult> {
    const execution = this.#executionOf(operation, variables, context)
    this.#times += 1
    if (this.#times === COMPILED_AT) this.#compile()
    return this.#compiled && fits(variables, this.#measure())
      ? runCompiled(this.#compiled, execution)
      : execute(execution)
  }

  /** What a subscription waits for, or why it cannot. */
  subscribe(
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
    context: Execution['contextValue'],
  ): Promise<AsyncIterable<unknown> | ExecutionResult> {
    return createSourceEventStream(this.#executionOf(operation, variables, context))
  }

  /** What one event of a subscription is answered with. */
  runEvent(
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
    context: Execution['contextValue'],
    event: unknown,
  ): ExecutionResult | Promise<ExecutionResult> {
    return execute({ ...this.#executionOf(operation, variables, context), rootValue: event })
  }

  #executionOf(
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
    context: Execution['contextValue'],
  ): Execution {
    return {
      schema: this.#rules.schema,
      document: this.#parse(),
      operationName: operation.name?.value,
      variableValues: variables,
      contextValue: context,
    }
  }

  #parse(): DocumentNode {
    try {
      this.#parsed ??= parseWithin(this.#rules.limits.tokens, this.#text)
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error
      this.#parsed = error
    }
    if (this.#parsed instanceof GraphQLError) throw this.#parsed
    return this.#parsed
  }

  #measure(): Shape {
    this.#shape ??= shapeOf(this.#parse())
    return this.#shape
  }

  /** The dear parts of validation come last, and not at all for what is refused without them. */
  #findProblems(): readonly GraphQLError[] {
    const { limits, introspection } = this.#rules
    const shape = this.#measure()
    const excess = findExcess(shape, limits)
    if (excess) return [excess]
    if (shape.circular) return this.#validate([NoFragmentCyclesRule])
    const comparisons = findComparisons(shape)
    if (comparisons) return [comparisons]
    const usual = [
      ...specifiedRules.filter((rule) => rule !== OverlappingFieldsCanBeMergedRule),
      UnconditionalSubscriptionsRule,
    ]
    const errors = this.#validate(
      introspection ? usual : [...usual, NoSchemaIntrospectionCustomRule],
    )
    return errors.length > 0 ? errors : this.#validate([OverlappingFieldsCanBeMergedRule])
  }

  #validate(rules: readonly ValidationRule[]): readonly GraphQLError[] {
    const { schema, introspection } = this.#rules
    const options = { maxErrors: MOST_VALIDATION_ERRORS, hideSuggestions: !introspection }
    const errors = withoutStacks(() => validate(schema, this.#parse(), rules, options))
    for (const { extensions } of errors)
      Object.assign(extensions, { code: 'GRAPHQL_VALIDATION_FAILED', http: badDocument })
    return errors
  }

  #compile(): void {
    const shape = this.#measure()
    this.#compiled = compile(this.#rules.schema, this.#parse(), shape)
    if (this.#compiled) this.#onCompiled(shape.expandedFields)
  }
}
