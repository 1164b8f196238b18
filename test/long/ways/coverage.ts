import {
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isIntrospectionType,
  isObjectType,
  parse,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'
import { subscriptionTypes } from '../../support/subscription-types.ts'

/** The fields, arguments, fields of inputs and values of arguments that none of these operations uses. */
export function unasked(schema: GraphQLSchema, texts: Iterable<string>): readonly string[] {
  const asked = new Set<string>()
  const types = new TypeInfo(schema)
  const visitor = visitWithTypeInfo(types, {
    Field: () => void asked.add(`${types.getParentType()}.${types.getFieldDef()?.name}`),
    Argument: ({ name }) =>
      void asked.add(`${types.getParentType()}.${types.getFieldDef()?.name}(${name.value})`),
    ObjectField: ({ name }) =>
      void asked.add(`${getNamedType(types.getParentInputType())}.${name.value}`),
    EnumValue: ({ value }) => void asked.add(`${getNamedType(types.getInputType())}.${value}`),
  })
  for (const text of texts) visit(parse(text), visitor)
  return everythingOf(schema).filter((name) => !asked.has(name))
}

function everythingOf(schema: GraphQLSchema): string[] {
  const ofSubscriptions = subscriptionTypes(schema)
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => !isIntrospectionType(type) && !ofSubscriptions.has(type),
  )
  const answered = ['DecisionSource', 'PermissionReason', 'RoleSource']
  return types.flatMap((type) => {
    if (isObjectType(type))
      return Object.values(type.getFields()).flatMap((field) => [
        `${type}.${field.name}`,
        ...field.args.map(({ name }) => `${type}.${field.name}(${name})`),
      ])
    if (isInputObjectType(type))
      return Object.keys(type.getFields()).map((name) => `${type}.${name}`)
    if (isEnumType(type) && !answered.includes(type.name))
      return type.getValues().map(({ name }) => `${type}.${name}`)
    return []
  })
}
