/** Reads, in the browser, the events of a subscription from the body of its answer. */
export const readEvents = String.raw`async function* (body) {
  let rest = ''
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      const blocks = (rest + value).split('\n\n')
      rest = blocks.pop()
      for (const block of blocks) {
        if (block.startsWith('event: complete')) return
        const data = /^data: (.*)$/m.exec(block)?.[1]
        if (data) yield JSON.parse(data)
      }
    }
  } finally {
    void reader.cancel()
  }
}`
