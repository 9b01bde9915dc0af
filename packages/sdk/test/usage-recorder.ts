import { createClient } from '../src/client.ts'
import { openUsageBuffer } from '../src/usage-buffer.ts'

// A process for the test to kill: records for ever, and says of which events it was told that they are safe.
const [baseUrl = '', directory = '', prefix = ''] = process.argv.slice(2)
const client = createClient({ baseUrl, retry: { attempts: 1 } })
const buffer = await openUsageBuffer({ client, directory, gatherSeconds: 0, maxDelaySeconds: 0.01 })
for (let i = 0; ; i += 1) {
  const id = `${prefix}-${i}`
  await buffer.record({ source: 'test', id, type: 'calls', subject: 'ada', time: '2026-01-31T09:30:00Z' })
  process.stdout.write(`${id}\n`)
}
