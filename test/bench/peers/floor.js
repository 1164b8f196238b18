import { createServer } from 'node:http'
import pg from 'pg'

/* As little as there can be between HTTP and PostgreSQL: one statement written by hand, which builds the JSON. */

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
pool.on('error', () => {})

const statements = {
  '/q1': `select json_build_object('user', json_build_object('id', id, 'name', name, 'email', email))::text as json
    from users where id = $1`,
  '/q2': viewer(['name']),
  '/q2-email': viewer(['name', 'email']),
}

const server = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  const { id } = JSON.parse(body)
  const text = statements[request.url]
  const { rows } = await pool.query({ name: request.url, text, values: [id] })
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(`{"data":${rows[0].json}}`)
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`))

/** A user, their organizations, and the members of these with columns of their users. */
function viewer(columns) {
  const built = columns.map((column) => `, '${column}', p.${column}`).join('')
  const read = columns.map((column) => `, mu.${column}`).join('')
  return `select json_build_object('viewer', json_build_object('id', u.id, 'name', u.name, 'organizations', (
      select json_agg(json_build_object('id', o.id, 'name', o.name, 'slug', o.slug, 'members', (
        select json_agg(json_build_object('roles', string_to_array(p.role, ','),
          'user', json_build_object('id', p.user_id${built})) order by p.created_at, p.id)
        from (select m.id, m.role, m.created_at, m.user_id${read} from members m join users mu on mu.id = m.user_id
          where m.organization_id = o.id order by m.created_at, m.id limit 20) p)) order by o.created, o.member)
      from (select og.*, mine.created_at as created, mine.id as member from members mine
        join organizations og on og.id = mine.organization_id
        where mine.user_id = u.id order by mine.created_at, mine.id limit 5) o)))::text as json
    from users u where u.id = $1`
}
