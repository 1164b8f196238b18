import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Plugin } from 'graphql-yoga'

interface Page {
  readonly text: string
  readonly hash: string
  readonly compressed: Uint8Array
}

/**
 * Has GraphiQL's page, which is nine megabytes of script, sent compressed, and only to browsers that do not have it yet: it
 * is compressed once, and browsers ask whether it is still the one of this hash. By the Fetch API it is whoever serves that
 * compresses, and may take every body for text.
 * @param isKept Whether browsers may keep it: not where tokens of callers to choose from are in it.
 */
export function useCompressedPage(isKept: boolean): Plugin {
  let last: Promise<Page> | undefined
  const pageOf = async (text: string) => {
    const known = await last
    if (known?.text === text) return known
    last = compress(text)
    return last
  }
  const answer = async (text: string, request: Request, byFetch: boolean) => {
    const { hash, compressed } = await pageOf(text)
    const isCompressed = !byFetch && /\bgzip\b/.test(request.headers.get('accept-encoding') ?? '')
    const headers = {
      'content-type': 'text/html; charset=utf-8',
      vary: 'Accept, Accept-Encoding',
      // In place of what is said of answers, which are somebody's own.
      ...(isKept && {
        'cache-control': 'private, no-cache',
        etag: isCompressed ? `"${hash}-gzip"` : `"${hash}"`,
      }),
      ...(isCompressed && { 'content-encoding': 'gzip' }),
    }
    const isKnown = isKept && request.headers.get('if-none-match')?.includes(hash)
    return { status: isKnown ? 304 : 200, headers, body: isCompressed ? compressed : text }
  }
  return {
    onResponse({ request, response, setResponse, fetchAPI, serverContext }) {
      if (response.headers.get('content-type') !== 'text/html' || response.status !== 200) return
      const byFetch = !('req' in Object(serverContext))
      return (async () => {
        const { status, headers, body } = await answer(await response.text(), request, byFetch)
        const sent = status === 304 ? null : (body as BodyInit)
        setResponse(new fetchAPI.Response(sent, { status, headers }))
      })()
    },
  }
}

async function compress(text: string): Promise<Page> {
  const hash = createHash('sha256').update(text).digest('base64url')
  return { text, hash, compressed: await promisify(gzip)(text) }
}
