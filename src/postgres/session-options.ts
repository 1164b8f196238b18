/** What `pg` would let parameters of the URL replace, although it is given beside it. */
const REPLACING = ['options', 'statement_timeout', 'query_timeout', 'application_name']

/**
 * A connection whose session begins with these settings. Options that the URL has of its own come before ours, so that
 * these win: what is read-only stays so, whatever a URL says.
 * @param url As `DATABASE_URL`; also the address of a socket, which is no URL to a parser of these.
 * @param settings As `name=value`.
 */
export function withSettings(url: string, settings: readonly string[]) {
  const [address = '', query = ''] = url.split(/\?(.*)/s)
  const parameters = new URLSearchParams(query)
  const options = [parameters.get('options') ?? '', ...settings.map((setting) => `-c ${setting}`)]
  for (const name of REPLACING) parameters.delete(name)
  return {
    connectionString: parameters.size === 0 ? address : `${address}?${parameters}`,
    options: options.join(' ').trim(),
  }
}
