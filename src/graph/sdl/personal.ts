import {
  type GraphQLEnumType,
  type GraphQLField,
  type GraphQLInputObjectType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import { personalFields } from '../../access/audiences.ts'

/** What an address, a name to sign in with, or the place somebody signed in from is called, whatever it is a part of. */
const TELLING = /e_?mail|search|username|phone|ip_?address|user_?agent/i

/**
 * Everything that tells personal data, as `printSdl` names it: fields that hold it, and the side doors to them, which are
 * arguments, filters and orders by which it could be found out.
 */
export function personalPlaces(schema: GraphQLSchema): readonly string[] {
  const known = new Set(personalFields)
  const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'))
  return types.flatMap((type) => {
    if (isObjectType(type)) return ofObject(type, known)
    if (isInputObjectType(type)) return ofInput(type, known)
    return isEnumType(type) ? ofEnum(type, known) : []
  })
}

function ofObject(type: GraphQLObjectType, known: ReadonlySet<string>): readonly string[] {
  return Object.values(type.getFields()).flatMap((field) => {
    const place = `${type.name}.${field.name}`
    const isTelling =
      known.has(place) || field.extensions.personal === true || TELLING.test(field.name)
    return isTelling || needsIt(field) ? [place] : argumentsOf(field, place)
  })
}

/** A field that cannot be asked for without it is nothing without it. */
function needsIt({ args }: GraphQLField<unknown, unknown>): boolean {
  return args.some(({ name, type }) => isNonNullType(type) && TELLING.test(name))
}

function argumentsOf({ args }: GraphQLField<unknown, unknown>, place: string): readonly string[] {
  return args.filter(({ name }) => TELLING.test(name)).map(({ name }) => `${place}.${name}`)
}

/** Of a filter of people, also what is by a field of theirs that is personal. */
function ofInput(type: GraphQLInputObjectType, known: ReadonlySet<string>): readonly string[] {
  const owner = type.name.replace(/Filter$/, '')
  return Object.keys(type.getFields())
    .filter((name) => TELLING.test(name) || known.has(`${owner}.${name}`))
    .map((name) => `${type.name}.${name}`)
}

function ofEnum(type: GraphQLEnumType, known: ReadonlySet<string>): readonly string[] {
  const owner = type.name.replace(/OrderField$/, '')
  const fieldOf = (name: string) =>
    name.toLowerCase().replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())
  return type
    .getValues()
    .filter(({ name }) => TELLING.test(name) || known.has(`${owner}.${fieldOf(name)}`))
    .map(({ name }) => `${type.name}.${name}`)
}
