import type { DemoPerson } from './seed.ts'

export interface LivePage {
  /** The address of the graph. */
  readonly graphql: string
  /** Who can be chosen; those of the first organization of the first of them are looked at. */
  readonly people: readonly DemoPerson[]
}

/**
 * A page that shows what subscriptions are for, in plain HTML: whoever is chosen sees the members of an organization and a button
 * for which they need a permission. In one window an owner takes the role from somebody, and in theirs the button goes grey.
 */
export function livePage({ graphql, people }: LivePage): string {
  const [first] = people
  const [organization] = first?.organizations ?? []
  const members = people.flatMap(({ name, email, password, organizations }) => {
    const own = organizations.find(({ id }) => id === organization?.id)
    return own ? [{ name, email, password, roles: own.roles }] : []
  })
  const data = JSON.stringify({ graphql, organization, members }).replaceAll('<', '\\u003c')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Changes, as they come</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 46rem; padding: 0 1rem }
button { font: inherit; padding: .3rem .8rem }
td, th { padding: .2rem 1rem .2rem 0; text-align: left }
#approve { font-size: 1.3rem }
</style>
</head>
<body>
<h1 id="title">Who are you?</h1>
<p>Open this page in two windows, as an owner and as somebody else: what one changes, the other sees.</p>
<ul id="people"></ul>
<main id="page" hidden>
<p><button id="approve" disabled>Approve leave</button> <output id="news"></output></p>
<table><thead><tr><th>Member</th><th>Roles</th><th></th></tr></thead><tbody id="members"></tbody></table>
</main>
<script>const demo = ${data}</script>
<script type="module">${SCRIPT}</script>
</body>
</html>
`
}

const SCRIPT = String.raw`
const find = (id) => document.getElementById(id)
const me = demo.members.find(({ email }) => email === new URLSearchParams(location.search).get('as'))
for (const { name, email, roles } of demo.members) {
  const textContent = name + ' (' + roles.join(', ') + ')'
  const link = Object.assign(document.createElement('a'), { textContent, href: '?as=' + encodeURIComponent(email) })
  find('people').appendChild(document.createElement('li')).append(link)
}
if (me) {
  find('people').hidden = true
  find('page').hidden = false
  find('title').textContent = me.name + ' at ' + demo.organization.name
  // A session for this window alone: cookies are shared by all of them.
  const session = await signIn(me)
  const { token } = await auth('/token', session)
  for (;;) {
    const isOver = await listen(token, (event) => show(event, session)).catch(() => false)
    if (isOver) break
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

async function signIn({ email, password }) {
  const response = await fetch('/api/auth/sign-in/email', {
    method: 'POST',
    credentials: 'omit',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })
  return response.headers.get('set-auth-token')
}

async function auth(path, session, body) {
  const response = await fetch('/api/auth' + path, {
    method: body ? 'POST' : 'GET',
    credentials: 'omit',
    headers: { authorization: 'Bearer ' + session, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  })
  return response.json()
}

/** Answers whether the last event has come; otherwise the connection was cut off, and another is to be opened. */
async function listen(token, onEvent) {
  const query = 'subscription ($id: ID!) { organizationChanged(id: $id) { kind organization {' +
    ' viewerCan(permission: "leave:approve") members(first: 50) { nodes { id roles user { name } } } } } }'
  const response = await fetch(demo.graphql, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json', authorization: 'Bearer ' + token },
    body: JSON.stringify({ query, variables: { id: demo.organization.id } }),
  })
  let rest = ''
  for (const reader = response.body.pipeThrough(new TextDecoderStream()).getReader(); ; ) {
    const { value, done } = await reader.read()
    if (done) return false
    const blocks = (rest + value).split('\n\n')
    rest = blocks.pop()
    for (const block of blocks) {
      if (block.startsWith('event: complete')) return true
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (data) onEvent(JSON.parse(data).data?.organizationChanged)
    }
  }
}

function show(event, session) {
  const organization = event?.organization
  find('approve').disabled = !organization?.viewerCan
  find('news').textContent = (event?.kind ?? 'Not a member') + ', ' + new Date().toLocaleTimeString()
  find('members').replaceChildren(...(organization?.members?.nodes ?? []).map((member) => row(member, session)))
}

function row({ id: memberId, roles, user }, session) {
  const row = document.createElement('tr')
  for (const text of [user.name, roles.join(', ')]) row.insertCell().textContent = text
  const isApprover = roles.includes('approver')
  const change = Object.assign(document.createElement('button'), {
    textContent: isApprover ? 'Take the role from them' : 'Make them an approver',
    onclick: () => auth('/organization/update-member-role', session, {
      organizationId: demo.organization.id,
      memberId,
      role: isApprover ? roles.filter((role) => role !== 'approver') : [...roles, 'approver'],
    }).then(({ message }) => { if (message) find('news').textContent = message }),
  })
  row.insertCell().append(change)
  return row
}
`
