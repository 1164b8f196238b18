import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../versions', import.meta.url))

function read(path: string) {
  return JSON.parse(readFileSync(`${folder}/${path}`, 'utf8'))
}

/** Those that test/versions/package.json lists, as `"better-auth-1.4": "npm:better-auth@1.4.22"`. */
export const versions = Object.entries<string>(read('package.json').dependencies).map(
  ([name, found]) => ({ name, version: found.slice(found.lastIndexOf('@') + 1) }),
)

export function folderOf(name: string): string {
  return `${folder}/node_modules/${name}`
}

export function installedVersion(name: string): string {
  return read(`node_modules/${name}/package.json`).version
}

export function minor(version: string): number {
  return Number(version.split('.')[1])
}
