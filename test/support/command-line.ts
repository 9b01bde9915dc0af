import { type ParseArgsConfig, parseArgs } from 'node:util'

/**
 * What a command of the repository was given. With `--help` it says how it is used and ends with 0; of an option that it
 * does not know it says so as well, without the stack of a fault of ours, and ends with 2.
 */
export function commandLine<T extends ParseArgsConfig>(usage: string, config: T) {
  if (process.argv.includes('--help')) {
    console.log(usage)
    process.exit(0)
  }
  try {
    return parseArgs(config)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    console.error(`${error.message}\n${usage}`)
    process.exit(2)
  }
}
