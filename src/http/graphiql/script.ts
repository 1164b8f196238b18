/**
 * The program of the page, which runs in the browser. It is given callers and samples, draws GraphiQL, and sends what
 * GraphiQL is to send: as whoever is chosen, asking what it costs. Of tokens it keeps nothing; what it keeps is the name
 * of who was chosen, and what was asked.
 */
export const script = String.raw`(readEvents) => ({ callers, samples, who }) => {
  const find = (id) => document.getElementById(id)
  const CHOSEN = 'identity-gateway:caller'
  const HISTORY = 'identity-gateway:history'
  const LONGEST_HISTORY = 50

  // Whom to ask as: one entry for each group of each caller.
  const select = find('caller')
  const offered = []
  if (select) offerCallers()

  function offerCallers() {
    const lists = new Map([['', select]])
    for (const caller of callers) {
      const groups = Object.entries(caller.groups ?? {})
      for (const [group, what] of groups.length > 0 ? groups : [['', '']]) {
        if (!lists.has(group)) {
          const list = Object.assign(document.createElement('optgroup'), { label: group })
          lists.set(group, list)
          select.append(list)
        }
        const text = what ? caller.name + ' (' + what + ')' : caller.name
        const option = new Option(text, group ? text + ', ' + group : text)
        lists.get(group).append(option)
        offered.push({ option, caller })
      }
    }
    const stored = localStorage.getItem(CHOSEN)
    const { option } = offered.find(({ option }) => option.value === stored) ?? offered[0]
    option.selected = true
    select.addEventListener('change', () => {
      localStorage.setItem(CHOSEN, select.value)
      void tellWho({})
      run()
    })
  }

  const chosen = () => offered.find(({ option }) => option.selected)?.caller

  const run = () => document.querySelector('.graphiql-execute-button')?.click()

  // What is sent.
  const authorizationOf = (headers) => new Headers(headers).get('authorization')

  function withCredential(headers) {
    const token = chosen()?.token
    if (!token || authorizationOf(headers) !== null) return headers
    return { ...headers, authorization: 'Bearer ' + token }
  }

  const send = (params, headers) =>
    fetch(location.pathname, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'content-type': 'application/json', ...withCredential(headers) },
      body: JSON.stringify(params),
    })

  async function ask(params, headers) {
    const response = await send(params, headers)
    // However many errors there are, the data is what a reader looks for first.
    const { data, errors, ...rest } = await response.json()
    return { ...(data !== undefined && { data }), ...(errors && { errors }), ...rest }
  }

  async function* listen(params, headers) {
    const { body } = await send(params, { ...headers, accept: 'text/event-stream' })
    yield* readEvents(body)
  }

  let last = null
  async function fetcher({ query, variables, operationName: name }, { headers = {}, documentAST } = {}) {
    // GraphiQL learns a little later than its reader that another tab has another operation.
    const operationName = name && new RegExp('\\b' + name + '\\b').test(query) ? name : undefined
    const params = { query, variables, operationName }
    if (operationName === 'IntrospectionQuery') {
      const introspection = await ask(params, headers)
      if (isFirst) setTimeout(run)
      isFirst = false
      return introspection
    }
    last = params
    const operation = documentAST?.definitions.find((one) => one.operation && (!operationName || one.name?.value === operationName))
    if (operation?.operation === 'subscription') return listen(params, headers)
    const begun = performance.now()
    const result = await ask(params, { ...headers, 'x-graphql-cost': '1' })
    const told = tellCost(result, Math.round(performance.now() - begun))
    remember({ query, variables, operationName, caller: chosen()?.name, told, at: Date.now() })
    if (JSON.stringify(headers) !== headersTold) void tellWho(headers)
    return result
  }

  function tellCost({ errors, extensions }, milliseconds) {
    const { requested, limit } = extensions?.cost ?? {}
    const parts = [milliseconds + ' ms']
    if (requested !== undefined)
      parts.unshift('cost ' + requested.toLocaleString('en') + ' of ' + limit.toLocaleString('en'))
    if (errors) parts.push(errors.length === 1 ? '1 error' : errors.length + ' errors')
    const told = parts.join(', ')
    find('cost').textContent = told
    return told
  }

  // Who is asking.
  let headersTold = ''
  let timesTold = 0

  async function tellWho(headers) {
    headersTold = JSON.stringify(headers)
    const time = ++timesTold
    const told = await ask({ query: who }, headers).catch((error) => ({ errors: [error] }))
    // Somebody else may have been chosen since.
    if (time === timesTold) find('who').textContent = sentence(told, headers)
  }

  function sentence({ data, errors }, headers) {
    const viewer = data?.viewer
    if (viewer) return 'You are ' + viewer.name + standing(viewer.organizations) + '.'
    if (errors) return 'Nobody is known: ' + errors[0].message
    if (chosen()?.token || Object.keys(headers).length > 0)
      return 'You are a service, or something else that is no user: there is no viewer.'
    return 'You are nobody: there is no credential, and no viewer.'
  }

  function standing(organizations) {
    if (!organizations) return ''
    const { edges, totalCount } = organizations
    if (edges.length === 0) return ', a member of no organization'
    const memberships = edges.map(({ roles, node }) => roles.join(' and ') + ' of ' + node.name)
    if (totalCount > edges.length) memberships.push(totalCount - edges.length + ' more')
    return ', ' + memberships.join(', ')
  }

  // What is in the editors: GraphiQL names them so.
  const modelOf = (name) => globalThis.__MONACO?.editor.getModels().find(({ uri }) => uri.path.endsWith(name))
  const textOf = (name) => modelOf(name)?.getValue() ?? ''

  function open({ query, variables = '' }) {
    document.querySelector('.graphiql-tab-add').click()
    modelOf('operation.graphql').setValue(query)
    modelOf('variables.json').setValue(variables)
  }

  function list(id, entries) {
    const rows = entries.map(({ text, ...entry }) => {
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: text })
      button.addEventListener('click', () => {
        find(id).hidePopover()
        open(entry)
      })
      const row = document.createElement('li')
      row.append(button)
      return row
    })
    find(id).querySelector('ul').replaceChildren(...rows)
  }

  // What was asked, the last first. It holds no header.
  const history = () => parsed(localStorage.getItem(HISTORY) ?? '') ?? []

  function remember(entry) {
    const isSame = ({ query, variables }) =>
      query === entry.query && JSON.stringify(variables) === JSON.stringify(entry.variables)
    const others = history().filter((other) => !isSame(other))
    localStorage.setItem(HISTORY, JSON.stringify([entry, ...others].slice(0, LONGEST_HISTORY)))
  }

  function listHistory() {
    const entries = history().map(({ query, variables, operationName, caller, told, at }) => ({
      text: [new Date(at).toLocaleTimeString(), operationName ?? query.slice(0, 60), caller, told].filter(Boolean).join(' · '),
      query,
      variables: variables && JSON.stringify(variables, null, 2),
    }))
    list('history', entries)
    if (entries.length === 0) find('history').querySelector('ul').textContent = 'Nothing was asked yet.'
  }

  // A command for a shell that asks what is in the editor.
  const quoted = (text) => "'" + text.replaceAll("'", "'\\''") + "'"
  const parsed = (text) => {
    try {
      return JSON.parse(text) ?? undefined
    } catch {
      return undefined
    }
  }

  function curl() {
    const query = textOf('operation.graphql')
    const operationName = last?.query === query ? last.operationName : undefined
    const body = JSON.stringify({ query, variables: parsed(textOf('variables.json')), operationName })
    const headers = { 'content-type': 'application/json', ...withCredential(parsed(textOf('request-headers.json'))) }
    const words = Object.entries(headers).map(([name, value]) => '-H ' + quoted(name + ': ' + value))
    return ['curl ' + quoted(location.origin + location.pathname), ...words, '--data-raw ' + quoted(body)].join(' ')
  }

  async function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text)
    // Pages that came without TLS have no clipboard but this one.
    const area = Object.assign(document.createElement('textarea'), { value: text })
    document.body.append(area)
    area.select()
    document.execCommand('copy')
    area.remove()
  }

  find('curl').addEventListener('click', async () => {
    await copy(curl())
    find('curl').textContent = 'Copied'
    setTimeout(() => Object.assign(find('curl'), { textContent: 'Copy as curl' }), 1500)
  })
  find('history').addEventListener('beforetoggle', listHistory)
  list('samples', samples.map(({ title, ...sample }) => ({ text: title, ...sample })))

  forgetTokens()
  // GraphiQL knows its tab again by a query that it stores with the first change; until then a visit would add a tab.
  if (localStorage.getItem('graphiql:query') === null) localStorage.setItem('graphiql:query', samples[0]?.query ?? '')
  const linked = new URLSearchParams(location.search).get('query')
  const isStarted = localStorage.getItem('graphiql:tabState') !== null
  // Of a first visit that was not for a query of somebody else, what it opens with is run.
  let isFirst = !isStarted && linked === null
  void tellWho({})
  // Tabs whose letters become narrower while GraphiQL draws them do not take the first click.
  void Promise.allSettled([...document.fonts].map((font) => font.load())).then(() =>
    YogaGraphiQL.renderYogaGraphiQL(find('root'), {
      fetcher,
      shouldPersistHeaders: false,
      defaultQuery: '',
      defaultTabs: [...(linked && !isStarted ? [{ query: linked }] : []), ...samples],
      logo: ' ',
      title: ' ',
    }),
  )

  // Those that earlier versions of this page kept.
  function forgetTokens() {
    localStorage.removeItem('graphiql:headers')
    localStorage.removeItem('graphiql:shouldPersistHeaders')
    const tabs = localStorage.getItem('graphiql:tabState')
    const withoutHeaders = (key, value) => (key === 'headers' ? null : value)
    if (tabs !== null) localStorage.setItem('graphiql:tabState', JSON.stringify(JSON.parse(tabs, withoutHeaders)))
  }
}`
