/** `npm run check`: everything a machine can say of the sources, told all at once. */
import { spawn } from 'node:child_process'

const checks: ReadonlyArray<readonly [name: string, command: string, ...args: string[]]> = [
  ['format and lint', 'biome', 'check', '--error-on-warnings'],
  ['types', 'tsc', '--noEmit'],
  ['types of older versions', 'node', 'packages/stripe-simulator/scripts/check-declarations.ts'],
  ['promises', 'oxlint', '--type-aware', '--deny-warnings'],
  ['arrows', 'depcruise', '--config', '.dependency-cruiser.js', 'packages', 'examples', 'test', 'bench'],
  ['unused code', 'knip'],
]

interface Outcome {
  readonly name: string
  readonly ok: boolean
  readonly output: string
}

function run([name, command, ...args]: (typeof checks)[number]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    child.on('error', reject)
    // A cruise that met no module would hold every arrow: it read nothing.
    child.on('close', (code) => resolve({ name, ok: code === 0 && !/\(0 modules/.test(output), output }))
  })
}

const outcomes = await Promise.all(checks.map(run))
for (const { name, ok, output } of outcomes) {
  if (!ok) console.log(`\n── ${name} ${'─'.repeat(60)}\n${output.trimEnd()}`)
}
console.log()
for (const { name, ok } of outcomes) console.log(`${ok ? '✓' : '✗'} ${name}`)
process.exitCode = outcomes.every(({ ok }) => ok) ? 0 : 1
