/**
 * What tells one failure from another: codes and texts of an error, of its causes, and of what it gathers, such as the
 * nodes of a Cluster or the addresses of a host; each as `<code> <text>`, so that a text never stands where a code does.
 */
export function signsOf(error: unknown, depth = 0): readonly string[] {
  if (typeof error !== 'object' || error === null || depth > 5) return []
  const it = error as Readonly<Record<string, unknown>>
  const ofPrisma = (it.meta as Record<string, unknown> | undefined)?.driverAdapterError
  const gathered = Array.isArray(it.errors) ? it.errors : []
  const code = it.originalCode ?? it.code ?? ''
  const text = it.originalMessage ?? it.reason ?? it.message ?? ''
  const inner = [it.cause, ofPrisma, it.lastNodeError, ...gathered]
  return [`${code} ${text}`, ...inner.flatMap((each) => signsOf(each, depth + 1))]
}
