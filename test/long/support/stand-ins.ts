import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { binariesOf } from '../ways/elsewhere.ts'
import type { Docker } from './docker.ts'
import { need } from './need.ts'

const shell = ['cat', 'chmod', 'chown', 'cp', 'mkdir', 'mount', 'sh'].map((name) => `/bin/${name}`)

export const hasSystemd = existsSync('/lib/systemd/systemd')

/**
 * Makes an image `machine`, and the same by each of these names, since there is no registry to have them from: with the
 * programs of this machine (Node.js, Redis, HAProxy, PostgreSQL, systemd), the libraries that they load, and nothing else.
 */
export async function makeStandIns(docker: Docker, names: readonly string[]): Promise<void> {
  await need('redis-server')
  await need('haproxy')
  const postgres = await binariesOf(15)
  const modules = postgres.replace(/bin$/, 'lib')
  const programs = [
    process.execPath,
    ...shell,
    '/usr/bin/setpriv',
    pathOf('redis-server'),
    pathOf('haproxy'),
    ...['initdb', 'postgres', 'psql'].map((name) => `${postgres}/${name}`),
    // Without the compiler, which is as large as all others together.
    ...readdirSync(modules)
      .filter((name) => name.endsWith('.so') && !name.startsWith('llvm'))
      .map((name) => `${modules}/${name}`),
    ...(hasSystemd ? filesOfSystemd() : []),
  ]
  const { stdout } = spawnSync('ldd', programs, { encoding: 'utf8', maxBuffer: 1e8 })
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path)
  const others = ['/etc/passwd', '/etc/group', '/usr/share/postgresql/15', '/usr/share/zoneinfo']
  const files = [...new Set([...programs, ...libraries, ...others])]
  const packed = spawn('tar', ['--create', '--dereference', '--absolute-names', ...files], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const PATH = [dirname(process.execPath), '/usr/bin', '/bin', '/usr/sbin', postgres].join(':')
  const words = ['import', '--change', `ENV PATH=${PATH}`, '-', 'machine']
  await docker.run('docker', words, { input: packed })
  for (const name of names) await docker.run('docker', ['tag', 'machine', name])
}

function filesOfSystemd(): readonly string[] {
  const { stdout } = spawnSync('dpkg', ['--listfiles', 'systemd'], { encoding: 'utf8' })
  return stdout
    .split('\n')
    .filter((path) => path !== '' && !path.startsWith('/usr/share/'))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
}

function pathOf(command: string): string {
  const { stdout } = spawnSync('sh', ['-c', `PATH="$PATH:/usr/sbin" command -v ${command}`], {
    encoding: 'utf8',
  })
  return stdout.trim()
}
