import { execFileSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nobody } from '../../../src/demo/supervised.ts'

/** Paths of a certificate for the name `localhost` and its key, and of that of the authority that gave it. */
export interface Certificates {
  readonly authority: string
  readonly certificate: string
  readonly key: string
  remove(): void
}

/** Of an authority of the test's own, which no system trusts. */
export function createCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'identity-certificates-'))
  const path = (name: string) => join(folder, name)
  const [authority, authorityKey, certificate, key, request, extensions] = [
    'authority.pem',
    'authority.key',
    'certificate.pem',
    'certificate.key',
    'request.pem',
    'extensions',
  ].map(path) as [string, string, string, string, string, string]
  const openssl = (...words: string[]) => execFileSync('openssl', words, { stdio: 'ignore' })
  const made = (name: string, to: string) => [
    ...['-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`, '-keyout', to],
  ]
  openssl('req', '-x509', '-days', '2', ...made('authority', authorityKey), '-out', authority)
  openssl('req', ...made('localhost', key), '-out', request)
  writeFileSync(extensions, 'subjectAltName=DNS:localhost')
  const by = ['-CA', authority, '-CAkey', authorityKey, '-CAcreateserial', '-days', '2']
  openssl('x509', '-req', '-in', request, ...by, '-extfile', extensions, '-out', certificate)
  // PostgreSQL wants its key to be its own.
  if (nobody.uid !== undefined)
    for (const it of [folder, key, certificate]) chownSync(it, nobody.uid, nobody.gid)
  return { authority, certificate, key, remove: () => rmSync(folder, { recursive: true }) }
}
