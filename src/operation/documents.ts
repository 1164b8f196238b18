import { LRUCache } from 'lru-cache'
import { Document, type DocumentRules } from './document.ts'

/** A parsed document takes up to this many bytes for each character of its text. */
const BYTES_PER_CHARACTER = 150
/** And a compiled one for each of its fields, with fragments written out. */
const BYTES_PER_FIELD = 8 << 10
/** Of everything that is kept, in bytes. */
const MOST_BYTES = 75_000_000
/** Of the texts that came but once, in characters. */
const MOST_SEEN = 500_000
/** Longer texts are not taken for seen, and so never kept. In characters. */
const LONGEST = 20_000

/**
 * The documents that clients send, by their texts. Bounded by size and not by number, so that nobody can fill the memory
 * with large documents that differ in one character; and kept from their second time on, so that those who send each
 * but once neither push out what others send again and again nor leave work for the garbage collector.
 */
export class Documents {
  readonly rules: DocumentRules
  readonly #seen = new LRUCache<string, true>({
    maxSize: MOST_SEEN,
    maxEntrySize: LONGEST,
    sizeCalculation: (_seen, text) => text.length + 1,
  })
  readonly #kept = new LRUCache<string, Document>({ maxSize: MOST_BYTES })

  constructor(rules: DocumentRules) {
    this.rules = rules
  }

  find(text: string): Document {
    const known = this.#kept.get(text)
    if (known) return known
    if (!this.#seen.has(text)) {
      this.#seen.set(text, true)
      return new Document(text, this.rules)
    }
    const size = (text.length + 1) * BYTES_PER_CHARACTER
    const document: Document = new Document(text, this.rules, (fields) => {
      if (this.#kept.peek(text) === document)
        this.#kept.set(text, document, { size: size + fields * BYTES_PER_FIELD })
    })
    this.#kept.set(text, document, { size })
    return document
  }
}
