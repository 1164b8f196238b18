import type { MemberRepository } from '../domain/member.ts'

const PAIRS_AT_ONCE = 500

/** Which of these users are members of one of these organizations. */
export async function membersAmong(
  members: Pick<MemberRepository, 'findByPairs'>,
  organizationIds: readonly string[],
  userIds: readonly string[],
): Promise<readonly string[]> {
  const pairs = organizationIds.flatMap((organizationId) =>
    userIds.map((userId) => ({ organizationId, userId })),
  )
  const found = new Set<string>()
  for (let first = 0; first < pairs.length; first += PAIRS_AT_ONCE) {
    const rows = await members.findByPairs(pairs.slice(first, first + PAIRS_AT_ONCE))
    for (const { userId } of rows) found.add(userId)
  }
  return [...found]
}
