export { type BetterAuthClient, betterAuthFor } from './better-auth-client.ts'
export {
  BUSINESS_EVENTS,
  type BusinessEvent,
  type BusinessEventStream,
  emitBusinessEvent,
} from './business-event.ts'
