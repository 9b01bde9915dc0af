/**
 * What `subscription-read` is held against: the least that a Fastify route can do which reads the same rows of the
 * same database, in one prepared query. No key to look at, no schema, no words of an API.
 */
import Fastify from 'fastify'
import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
const server = Fastify({ logger: false })

interface ById {
  readonly Params: { readonly id: string }
}

server.get<ById>('/v1/subscriptions/:id', async ({ params }) => {
  const text = 'select * from subscription where id = $1'
  const { rows } = await pool.query({ name: 'one', text, values: [params.id] })
  return rows[0]
})

interface OfCustomer {
  readonly Querystring: { readonly customer: string }
}

server.get<OfCustomer>('/v1/subscriptions', async ({ query }) => {
  const text = 'select * from subscription where customer_id = $1 order by id desc limit 20'
  const { rows } = await pool.query({ name: 'list', text, values: [query.customer] })
  return { data: rows }
})

server.get('/v1/customers', async () => {
  const { rows } = await pool.query({
    name: 'customers',
    text: 'select * from customer order by id desc limit 20',
  })
  return { data: rows }
})

process.once('SIGTERM', () => process.exit(0))
await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
