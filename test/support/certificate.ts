import { execFileSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nobody } from '../../src/demo/supervised.ts'

export interface Certificate {
  /** The files, which servers that are not run as root can read too. */
  readonly key: string
  readonly certificate: string
  remove(): void
}

/** For one name, signed by itself, so that it is its own authority. */
export function createCertificate(name: string, { expired = false } = {}): Certificate {
  const directory = mkdtempSync(join(tmpdir(), 'identity-certificate-'))
  const at = (file: string) => join(directory, file)
  const [key, certificate, request] = [at('key.pem'), at('certificate.pem'), at('request.pem')]
  writeFileSync(at('index'), '')
  writeFileSync(at('serial'), '01')
  writeFileSync(
    at('settings'),
    `[ca]
default_ca = own
[own]
database = ${at('index')}
serial = ${at('serial')}
new_certs_dir = ${directory}
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
`,
  )
  const openssl = (...words: string[]) => execFileSync('openssl', words, { stdio: 'ignore' })
  openssl(
    ...['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', request],
    ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`],
  )
  openssl(
    ...['ca', '-batch', '-selfsign', '-config', at('settings'), '-in', request, '-keyfile', key],
    ...['-startdate', '20200101000000Z', '-enddate', `${expired ? 2021 : 2049}0101000000Z`],
    ...['-notext', '-out', certificate],
  )
  if (nobody.uid !== undefined)
    for (const path of [directory, key, certificate]) chownSync(path, nobody.uid, nobody.gid)
  return { key, certificate, remove: () => rmSync(directory, { recursive: true }) }
}
