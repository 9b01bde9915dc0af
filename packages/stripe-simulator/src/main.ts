#!/usr/bin/env node
import { readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
  engines: { node: string }
}

// Asked before anything else is loaded: an older Node fails at the first module that it does not have.
const needed = manifest.engines.node.replace('>=', '')
if (isOlder(process.versions.node, needed)) {
  console.error(`stripe-simulator needs Node ${needed} or newer; this is ${process.versions.node}.`)
  process.exit(1)
}
const { runCommand } = await import('./command.ts')
await runCommand(manifest.version)

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [thanMajor = 0, thanMinor = 0] = than.split('.').map(Number)
  return major < thanMajor || (major === thanMajor && minor < thanMinor)
}
