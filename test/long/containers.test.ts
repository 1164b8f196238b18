import { spawn } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { chmod, cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { compose, deployPath, deployText } from '../support/deploy.ts'
import { documentedBlock } from '../support/documentation.ts'
import { type Docker, dockerCanRun, startDocker } from './support/docker.ts'
import { need } from './support/need.ts'
import { createProductionFolder } from './support/production-folder.ts'
import { hasSystemd, makeStandIns } from './support/stand-ins.ts'
import { typeInto } from './support/terminal.ts'

/*
 * The steps of deploy/README.md for Compose and for systemd, and those of docs/get-started.md for an image, line by line in
 * containers. There is no registry, so the images of others are stand-ins with the programs of this machine, and the
 * application with a Better Auth is the demo's. `docker compose` is docker-compose, as Debian has it.
 */

const root = fileURLToPath(new URL('../..', import.meta.url))
const steps = documentedBlock('docker compose run').text.split('\n')
const ofImage = documentedBlock('docker run --rm $layout').text.split('\n')
const ofSystemd = documentedBlock('systemctl enable --now').text.split('\n')
const [, , password = ''] = deployText('secrets.example/database-url').split(/:\/\/|[:@]/)

let folder: string
let production: string
let docker: Docker
let bearer: Readonly<Record<string, string>>

describe.skipIf(!dockerCanRun)('in containers', () => {
  /** Why this machine lets nobody start a Docker; `null`: it does. */
  let refusal: string | null = null
  beforeEach(({ skip }) => skip(refusal !== null, refusal ?? ''))

  beforeAll(async () => {
    await need('docker-compose')
    folder = await mkdtemp(join(tmpdir(), 'compose-'))
    const making = createProductionFolder()
    await cp(deployPath('.'), inDeploy(''), { recursive: true })
    await rm(inDeploy('secrets'), { recursive: true, force: true })
    await writeFile(inDeploy('stand-ins.yaml'), JSON.stringify(standIns()))
    try {
      docker = await startDocker(join(folder, 'docker'), {
        COMPOSE_FILE: 'compose.yaml:stand-ins.yaml',
        COMPOSE_PROJECT_NAME: 'deploy',
        BETTER_AUTH_IMAGE: /^export BETTER_AUTH_IMAGE=(\S+)/m.exec(steps.join('\n'))?.[1] ?? '',
      })
    } catch (error) {
      refusal = refusalBySystem(error)
      if (refusal === null) throw error
      process.stderr.write(`Containers are not tried here: ${refusal}\n`)
      production = await making
      return
    }
    const known = Object.values(compose.services).flatMap(({ image = '' }) =>
      /^\w+:/.test(image) ? [image] : [],
    )
    const own = docker.environment.BETTER_AUTH_IMAGE ?? ''
    await makeStandIns(docker, [...known, 'node:24-slim', own])
    production = await making
    await buildImage()
  })

  afterAll(async () => {
    await docker?.stop()
    for (const made of [production, folder]) if (made) await rm(made, { recursive: true })
  })

  const inDeploy = (path: string) => join(folder, 'deploy', path)

  /** The last stage of the Dockerfile as it is. What it copies from stages before it comes from images with their names. */
  async function buildImage(): Promise<void> {
    const words = ['--create', '--directory', production, '--transform', 's,^,app/,']
    const packed = spawn('tar', [...words, 'node_modules', 'dist'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    await docker.run('docker', ['import', '-', 'dependencies'], { input: packed })
    await docker.run('docker', ['tag', 'dependencies', 'served'])
    const context = join(folder, 'context')
    for (const name of ['package.json', 'prisma'])
      await cp(join(production, name), join(context, name), { recursive: true })
    const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
    await writeFile(join(context, 'Dockerfile'), last)
    await shell(ofImage[0] ?? '', context)
  }

  /** What the images of others bring along, and the application that is the reader's. */
  function standIns() {
    const own = `${root}/test/long/support:/app/own:ro`
    const modules = realpathSync(join(root, 'node_modules'))
    const application = [own, `${root}/dist:/app/dist:ro`, `${modules}:/app/node_modules:ro`]
    return {
      services: {
        postgres: { entrypoint: ['/bin/sh', '/app/own/compose-postgres.sh'], volumes: [own] },
        balancer: { command: 'haproxy -f /usr/local/etc/haproxy/haproxy.cfg' },
        'better-auth': {
          command: 'node /app/own/compose-better-auth.js',
          environment: { OPTIONS: '/app/dist/demo/better-auth-options.js' },
          volumes: [...application, `${root}/package.json:/app/package.json:ro`],
        },
      },
    }
  }

  const asHere = (line: string) => line.replaceAll('docker compose', 'docker-compose')
  const shell = (line: string, cwd = inDeploy('')) =>
    docker.run('sh', ['-ec', asHere(line)], { cwd })

  /** The one step that has this. */
  function step(marker: string): string {
    const found = steps.filter((line) => line.includes(marker))
    if (found.length !== 1 || !found[0]) throw new Error(`${found.length} steps have ${marker}.`)
    return found[0].replace(/ +#.*/, '')
  }

  /** Waits until the balancer leads to a gateway that tells Ada what is hers. */
  async function answered(): Promise<void> {
    const fields = 'organizations { nodes { name viewerCan(permission: "member:create") } }'
    const asked = { headers: bearer, body: { query: `{ viewer { ${fields} } }` } }
    const nodes = [{ name: 'Acme', viewerCan: true }]
    const data = { viewer: { organizations: { nodes } } }
    await vi.waitFor(
      async () => {
        const { status, text } = await docker.ask(8080, '/graphql', asked)
        expect({ status, text }).toEqual({ status: 200, text: JSON.stringify({ data }) })
      },
      { timeout: 30_000, interval: 200 },
    )
  }

  test('the image is the command line of a user without a name, and holds nothing to write to', async () => {
    const run = (...words: string[]) =>
      docker.run('docker', ['run', '--rm', '--read-only', ...words])
    expect(await run('identity-gateway', '--version')).toMatch(/^\d+\.\d+\.\d+\n$/)
    await expect(run('identity-gateway', 'doctor')).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('DATABASE_URL: is required'),
    })
    const writing = 'console.log(process.getuid()); fs.writeFileSync("/app/x", "")'
    await expect(
      run('--entrypoint', 'node', 'identity-gateway', '-e', writing),
    ).rejects.toMatchObject({ stdout: '1000\n', stderr: expect.stringContaining('EROFS') })
  })

  test('the steps: secrets, Better Auth and its tables, the role and its password', async () => {
    expect(steps[0]).toBe('cd deploy')
    await shell(step('cp -r secrets.example'))
    await shell(step('chmod 700'))
    await shell(step('up -d postgres'))
    await vi.waitUntil(
      async () => (await shell('docker compose logs better-auth')).includes('It has its tables.'),
      { timeout: 60_000, interval: 500 },
    )
    await shell(step('doctor --sql'))
    await shell(step('< role.sql'))
    const asked = asHere(step('\\password'))
    const where = { cwd: inDeploy(''), env: docker.environment }
    expect(await typeInto(asked, /Enter/, password, where)).toBe(0)
  })

  test('the check before the start misses a first token alone', async () => {
    const checked = await shell(step('serve --check')).catch(({ stdout }) => stdout)
    expect(checked.match(/^.*ERROR.*$/gm)).toEqual([expect.stringMatching(/^keys +ERROR/)])
  })

  test('everything starts: the balancer leads to Better Auth, and to a gateway that answers', async () => {
    expect(steps.at(-1)).toBe('docker compose up -d')
    await shell('docker compose up -d')
    const places = ['/ready', '/api/auth/ok']
    const all = () => Promise.all(places.map((path) => docker.ask(8080, path)))
    await vi.waitUntil(async () => (await all()).every(({ status }) => status === 200), {
      timeout: 60_000,
      interval: 200,
    })
    const body = { name: 'Ada', email: 'ada@example.com', password: 'a long password' }
    const signedUp = await docker.ask(8080, '/api/auth/sign-up/email', { body })
    expect(signedUp.status, signedUp.text).toBe(200)
    const headers = { authorization: `Bearer ${signedUp.headers['set-auth-token']}` }
    const organization = { name: 'Acme', slug: 'acme' }
    await docker.ask(8080, '/api/auth/organization/create', { headers, body: organization })
    const { text } = await docker.ask(8080, '/api/auth/token', { headers })
    bearer = { authorization: `Bearer ${JSON.parse(text).token}` }
    await answered()
  })

  // They wait more than they work.
  describe.concurrent('while all of it runs', () => {
    test('Docker finds both gateways healthy, and one ends well while the other answers', async () => {
      const healthy = "docker ps --filter health=healthy --format '{{.Names}}'"
      await vi.waitUntil(
        async () => (await shell(healthy)).match(/deploy_gateway-[12]_1/g)?.length === 2,
        { timeout: 60_000, interval: 500 },
      )
      await shell('docker compose stop gateway-1')
      const ended = await shell("docker inspect --format '{{.State.ExitCode}}' deploy_gateway-1_1")
      expect(ended).toBe('0\n')
      await answered()
    })

    test('the image with the schema file of a database, as docs/get-started.md runs it', async () => {
      const [layout = '', sql = '', doctor = '', serve = ''] = ofImage.slice(3)
      await cp(join(production, 'prisma/schema.prisma'), join(folder, 'schema.prisma'))
      const url = readFileSync(inDeploy('secrets/database-url'), 'utf8').trim()
      const variables = `DATABASE_URL=${url}\nAUTH_ISSUER=https://auth.example.com\n`
      await writeFile(join(folder, 'gateway.env'), variables)
      const run = (line: string) =>
        shell(`${layout}\n${line.replace('run', 'run --network deploy_default')}`, folder)
      await run(sql)
      expect(readFileSync(join(folder, 'role.sql'), 'utf8')).toContain(
        'create role "gateway" login',
      )
      expect(await run(doctor)).toContain('\n0 errors')
      await run(serve)
      const answers = () =>
        docker.ask(4000, '/ready').then(
          ({ status }) => status,
          () => 0,
        )
      await vi.waitUntil(async () => (await answers()) === 200, { timeout: 60_000, interval: 200 })
    })
    test.skipIf(!hasSystemd)(
      'systemd starts the units: with their secrets, in all that they are kept from, and they end well',
      async () => {
        // Others than root read it, as they would in /opt.
        await chmod(production, 0o755)
        const settings = join(folder, 'settings')
        await cp(inDeploy('systemd/gateway.env.example'), join(settings, 'gateway.env'))
        for (const name of ['database-url', 'redis-url']) {
          await cp(inDeploy(`secrets/${name}`), join(settings, name))
          await chmod(join(settings, name), 0o600)
        }
        const places = {
          [production]: '/opt/identity-gateway',
          [settings]: '/etc/identity-gateway',
          [inDeploy('')]: '/deploy',
          [process.execPath]: '/usr/bin/node',
        }
        const mounts = Object.entries(places).map(([from, to]) => `--volume=${from}:${to}:ro`)
        await docker.run('docker', [
          ...['run', '--detach', '--name', 'systemd', '--network', 'deploy_default', ...mounts],
          // What a systemd of a machine has.
          ...['SYS_ADMIN', 'DAC_READ_SEARCH'].map((name) => `--cap-add=${name}`),
          ...['seccomp', 'apparmor'].map((name) => `--security-opt=${name}=unconfined`),
          ...['--env=container=docker', '--tmpfs=/run', '--volume=/sys/fs/cgroup:/sys/fs/cgroup'],
          ...['--cgroupns=host', '--workdir=/deploy', 'machine'],
          // As on a machine, so that the secrets of a unit, which are mounted, are seen by it.
          ...['sh', '-c', 'mount --make-rshared / && exec /lib/systemd/systemd'],
        ])
        const inside = (line: string) => docker.run('docker', ['exec', 'systemd', 'sh', '-c', line])
        await vi.waitUntil(() => inside('systemctl is-system-running --wait').catch(() => false), {
          timeout: 30_000,
          interval: 200,
        })
        for (const line of ofSystemd) await inside(line)
        const asking = `Promise.all([4001, 4002].map(async (port) => {
        const [ready, metrics] = await Promise.all([fetch('http://127.0.0.1:' + port + '/ready'),
          fetch('http://127.0.0.1:1' + port + '/metrics')])
        return ready.status + metrics.status
      })).then((all) => console.log(String(all)))`
        await vi.waitUntil(
          async () => (await inside(`node -e "${asking}"`).catch(() => '')) === '400,400\n',
          { timeout: 30_000, interval: 300 },
        )
        await inside("systemctl stop 'identity-gateway@*'")
        const shown = 'systemctl show -p Result,ExecMainStatus,NRestarts identity-gateway@4001'
        const said = (await inside(shown)).trim().split('\n').sort()
        expect(said).toEqual(['ExecMainStatus=0', 'NRestarts=0', 'Result=success'])
      },
    )
  })
})

/** A sandbox may let root make networks, and mount nothing or filter nothing in them. */
function refusalBySystem(error: unknown): string | null {
  const lines = String(error).split('\n')
  return (
    lines.find((line) => /not permitted|permission denied|read-only file system/i.test(line)) ??
    null
  )
}
