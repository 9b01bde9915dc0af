/**
 * `npm run pack:check`: packs what others install, installs the tarballs in an empty project outside
 * the tree, and uses them there on a Node that strips no types.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildPackage, publishable } from './pack/build.ts'
import { run } from './pack/run.ts'
import { useCatalogue, useCli, useSdk, useSimulator, useTypes } from './pack/use.ts'

const stage = await mkdtemp(join(tmpdir(), 'lockstep-pack-'))
const project = await mkdtemp(join(tmpdir(), 'lockstep-project-'))
try {
  const tarballs: string[] = []
  for (const name of publishable) {
    tarballs.push(await buildPackage(name, stage))
    console.log(`✓ packed ${name}`)
  }
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }')
  const flags = ['--prefer-offline', '--no-audit', '--no-fund']
  await run('npm', ['install', ...flags, ...tarballs], { cwd: project })
  console.log('✓ installed in an empty project')

  console.log(`✓ a catalogue: ${await useCatalogue(project)}`)
  console.log(`✓ the SDK: ${await useSdk(project)}`)
  console.log(`✓ its types: ${await useTypes(project)}`)
  console.log(`✓ the simulator: ${await useSimulator(project)}`)
  console.log(`✓ the command line: ${await useCli(project)}`)
} finally {
  await Promise.all([stage, project].map((folder) => rm(folder, { recursive: true, force: true })))
}
