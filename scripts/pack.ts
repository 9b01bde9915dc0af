/**
 * `npm run pack -- stripe-simulator`: builds what is published of a package, and of ours that it needs, as tarballs in
 * the folder that it is called from.
 */
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { buildPackage, publishable, withOurs } from './pack/build.ts'

const names = process.argv.slice(2)
const unknown = names.filter((name) => !publishable.includes(name))
if (names.length === 0 || unknown.length > 0) {
  console.error(`npm run pack -- NAME…, of ${publishable.join(', ')}`)
  process.exit(2)
}

// npm runs scripts at the root, and says here where it was called.
const target = process.env.INIT_CWD ?? process.cwd()
const stage = await mkdtemp(join(tmpdir(), 'lockstep-pack-'))
try {
  for (const name of await withOurs(names)) {
    const tarball = await buildPackage(name, stage)
    await copyFile(tarball, join(target, basename(tarball)))
    console.log(basename(tarball))
  }
} finally {
  await rm(stage, { recursive: true, force: true })
}
