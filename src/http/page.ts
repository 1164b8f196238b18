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
 */
export function useCompressedPage(): Plugin {
  let last: Promise<Page> | undefined
  const pageOf = async (text: string) => {
    const known = await last
    if (known?.text === text) return known
    last = compress(text)
    return last
  }
  return {
    async onResponse({ request, response, setResponse, fetchAPI, serverContext }) {
      if (response.headers.get('content-type') !== 'text/html' || response.status !== 200) return
      const { text, hash, compressed } = await pageOf(await response.text())
      const takes = request.headers.get('accept-encoding') ?? ''
      const isCompressed = 'req' in Object(serverContext) && /\bgzip\b/.test(takes)
      const etag = isCompressed ? `"${hash}-gzip"` : `"${hash}"`
      const headers = {
        'content-type': 'text/html; charset=utf-8',
        // In place of what is said of answers, which are somebody's own.
        'cache-control': 'private, no-cache',
        vary: 'Accept, Accept-Encoding',
        etag,
      }
      if (request.headers.get('if-none-match')?.includes(hash))
        return setResponse(new fetchAPI.Response(null, { status: 304, headers }))
      setResponse(
        isCompressed
          ? new fetchAPI.Response(compressed as BodyInit, {
              headers: { ...headers, 'content-encoding': 'gzip' },
            })
          : new fetchAPI.Response(text, { headers }),
      )
    },
  }
}

async function compress(text: string): Promise<Page> {
  const hash = createHash('sha256').update(text).digest('base64url')
  return { text, hash, compressed: await promisify(gzip)(text) }
}
