import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { documentedBlocks, pages, pageText } from '../support/documentation.ts'
import { type Browser, startBrowser } from './support/chromium.ts'

/** The diagrams of the documentation, drawn by Mermaid in a browser as whoever reads the pages has them drawn. */

const library = new URL(
  '../documentation/node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js',
  import.meta.url,
).pathname
const diagrams = documentedBlocks().filter(({ language }) => language === 'mermaid')

let browser: Browser
let page: Page

beforeAll(async () => {
  browser = await startBrowser()
  page = await browser.context.newPage()
  await page.addScriptTag({ path: library })
})

afterAll(() => browser?.close())

/** What the drawing shows, without spaces: long labels are broken into lines. */
function draw(text: string): Promise<string> {
  return page.evaluate(async (text) => {
    const { mermaid } = globalThis as unknown as {
      mermaid: { render(id: string, text: string): Promise<{ svg: string }> }
    }
    const { svg } = await mermaid.render('diagram', text)
    const { body } = new DOMParser().parseFromString(svg, 'text/html')
    for (const style of body.querySelectorAll('style')) style.remove()
    return body.textContent.replaceAll(/\s/g, '')
  }, text)
}

test('there are diagrams, and every fence that begins one is known', () => {
  const fences = pages.flatMap((page) => pageText(page).match(/^ *```mermaid/gm) ?? [])
  expect(diagrams.length).toBeGreaterThan(3)
  expect(diagrams).toHaveLength(fences.length)
})

test.each(diagrams.map(({ page, line, text }) => [`${page}, line ${line}`, text] as const))(
  'that of %s is drawn, with every label',
  async (_, text) => {
    const labels = [...text.matchAll(/\[\(?([^"[\]()]+)\)?\]|"([^"]+)"|: (.+)$|as (.+)$/gm)].map(
      ([, ...found]) => found.find((label) => label !== undefined)?.replaceAll(/\s/g, ''),
    )
    expect(labels.length).toBeGreaterThan(6)
    const drawn = await draw(text)
    for (const label of labels) expect(drawn).toContain(label)
  },
)

test.each([
  ['a node with the name of a keyword', 'flowchart LR\n  clients --> graph'],
  ['a node without its end', 'flowchart LR\n  a[clients --> b'],
  ['an arrow that there is not', 'sequenceDiagram\n  a ~>> b: asks'],
  ['a kind of diagram that there is not', 'flowchrat LR\n  a --> b'],
])('%s is not drawn', async (_, text) => {
  await expect(draw(text)).rejects.toThrow(/error|No diagram type/i)
})
