import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'

/** What the figures were taken on. */
export async function describeMachine(): Promise<string> {
  const model = cpus()[0]?.model ?? 'unknown processor'
  const memory = Math.round(totalmem() / 2 ** 30)
  const kernel = (await readFile('/proc/version', 'utf8').catch(() => process.platform))
    .split(' ')
    .slice(0, 3)
    .join(' ')
  return `${availableParallelism()} × ${model}, ${memory} GiB, ${kernel}, Node ${process.version}`
}

/**
 * How much of the machine others had meanwhile: a ratio survives that, an absolute figure does not.
 */
export function watchMachine() {
  const before = ticks()
  return {
    busyElsewhere: (): string => {
      const after = ticks()
      const share = (name: 'steal' | 'total') => (after?.[name] ?? 0) - (before?.[name] ?? 0)
      const steal = share('total') > 0 ? Math.round((100 * share('steal')) / share('total')) : 0
      return `load ${loadavg()[0]?.toFixed(1)}, steal ${steal} %`
    },
  }
}

function ticks(): { steal: number; total: number } | undefined {
  try {
    const fields = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.split(' ').map(Number) ?? []
    return { steal: fields[7] ?? 0, total: fields.slice(0, 8).reduce((sum, field) => sum + field, 0) }
  } catch {
    return undefined
  }
}
