import { startEmbeddedPostgres } from '../../src/postgres/embedded.ts'

// Starts an embedded Postgres, says where, and stops it when its standard input ends.
const postgres = await startEmbeddedPostgres({ directory: process.argv[2] ?? '', durable: false })
console.log(JSON.stringify({ url: postgres.url, attached: postgres.attached }))
process.stdin.resume()
process.stdin.once('end', () => {
  void postgres.stop().then(() => process.exit(0))
})
