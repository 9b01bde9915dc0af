import { shareTestServer, startTestServer } from './database.ts'

/** One Postgres for the whole run; each test file gets a database of its own by `newDatabase()`. */
export default async function setup(): Promise<() => Promise<void>> {
  const server = await startTestServer()
  shareTestServer(server)
  return () => server.stop()
}
