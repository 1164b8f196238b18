import { readdirSync, statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runCli } from '../support/cli.ts'
import { deployPath, deployText, environments } from '../support/deploy.ts'

const page = deployText('README.md')

test('the page tells of every file, and no other', () => {
  const files = readdirSync(deployPath('.'), { recursive: true, encoding: 'utf8' }).filter(
    (path) => statSync(deployPath(path)).isFile() && !/^(README\.md|secrets\/)/.test(path),
  )
  const named = (path: string) =>
    path.split('/').some((_, index, parts) => {
      const place = parts.slice(index).join('/')
      const folder = parts.slice(0, index).join('/')
      return (
        page.includes(`\`${place}\``) || (folder !== '' && new RegExp(`\`${folder}/?\``).test(page))
      )
    })
  expect(files.length).toBeGreaterThan(20)
  expect(files.filter((path) => !named(path))).toEqual([])
})

test('the SQL of the role is printed where no database is reached yet', async () => {
  const [, words = ''] = /gateway-1 (doctor .*) > role\.sql$/m.exec(page) ?? []
  const { code, stdout } = await runCli(words.split(' '), environments.compose)
  expect(code).toBe(0)
  expect(stdout).toMatch(/create role "gateway" login/)
})
