import { LRUCache } from 'lru-cache'

/** Of all texts together, in characters. A parsed document takes up to 150 times its text. */
const MOST = 500_000
const LONGEST = 20_000

/**
 * Documents parsed before, by their text. Bounded by size and not by number alone, so that nobody can fill the memory
 * with large documents that differ in one character.
 */
export function createDocumentCache<Value extends object>() {
  return new LRUCache<string, Value>({
    maxSize: MOST,
    maxEntrySize: LONGEST,
    sizeCalculation: (_value, text) => text.length + 1,
  })
}
