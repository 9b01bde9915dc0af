import { execFile } from 'node:child_process'
import { promisify, stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'

const progress = new URL('./progress.ts', import.meta.url).href

/** What a step of long work prints where the streams say that they are such terminals. */
async function printedAt(terminals: { stdout: object; stderr: object }) {
  const work = `for (const [name, say] of Object.entries(${JSON.stringify(terminals)})) Object.assign(process[name], say)
    const { runSteps } = await import('${progress}')
    await runSteps([{ title: 'Catalogue', run: async () => '9 plans' }])`
  return promisify(execFile)(process.execPath, ['--input-type=module', '-e', work])
}
const lines = { stdout: '', stderr: '❯ Catalogue\n✔ Catalogue: 9 plans\n' }

test('where results are piped, progress is not among them', async () => {
  expect(await printedAt({ stdout: {}, stderr: { isTTY: true, columns: 80 } })).toEqual(lines)
})

test('a terminal that does not know its width gets lines, not a letter on each', async () => {
  const terminal = { isTTY: true, columns: 0 }
  const { stdout, stderr } = await printedAt({ stdout: terminal, stderr: terminal })
  expect({ stdout, stderr: stripVTControlCharacters(stderr) }).toEqual(lines)
})

test('on a terminal it is told in place', async () => {
  const terminal = { isTTY: true, columns: 80 }
  const { stdout, stderr } = await printedAt({ stdout: terminal, stderr: terminal })
  expect(stdout).toBe('')
  expect(stderr).toContain('Catalogue: 9 plans\n')
  // The cursor is hidden meanwhile.
  expect(stderr).toContain('\u001B[?25l')
})
