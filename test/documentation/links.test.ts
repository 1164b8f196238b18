import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { pages, pageText } from '../support/documentation.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Links of a page to files of this repository: where they lead, and to which heading. */
function linksOf(page: string): { readonly file: string; readonly heading: string | undefined }[] {
  const text = pageText(page).replaceAll(/^ *```[\s\S]*?^ *```/gm, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [path = '', heading] = link.split('#')
      return { file: path === '' ? page : join(dirname(page), path), heading }
    })
}

/** Headings, as GitHub makes anchors of them, and anchors by a name of their own. */
function anchorsOf(page: string): readonly string[] {
  const text = pageText(page)
  const named = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, name = '']) => name)
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
  return [...named, ...headings]
}

test.each(pages)('what %s links to is there', (page) => {
  const broken = linksOf(page).filter(
    ({ file, heading }) =>
      !existsSync(join(root, file)) || (heading && !anchorsOf(file).includes(heading)),
  )
  expect(broken).toEqual([])
})

test('README.md leads to every page, and is read in one sitting', () => {
  const reached = linksOf('README.md').map(({ file }) => file)
  expect(reached.length).toBeGreaterThan(20)
  expect(pages.filter((page) => page !== 'README.md' && !reached.includes(page))).toEqual([])
  expect(pageText('README.md').split('\n').length).toBeLessThanOrEqual(180)
})

test('nothing tells a reader to run what anybody could publish under the name of this package', () => {
  for (const page of pages)
    expect(pageText(page)).not.toMatch(/npx (?!--no-install)\S*identity-gateway/)
})
