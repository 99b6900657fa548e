import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { namedSource, type Problems } from '../kit/problems.ts'
import { fileText, type SourceText } from './source-text.ts'

/** A file larger than this is refused: 16 MiB hold the manifests of a whole Kubeflow. */
const maximumFileBytes = 16 * 1024 * 1024
const maximumFiles = 2000
const maximumDepth = 16

/**
 * Reads the text files below `directory` in the order of their names. Hidden entries and `node_modules` are left out,
 * links are followed to files only (a mounted ConfigMap is made of them). File names are told relative to `directory`.
 */
export function readTree(directory: string, problems: Problems): SourceText[] {
  const files: SourceText[] = []
  const refuse = (path: string, message: string, fix?: string) => problems.error(namedSource(path), [], message, fix)
  for (const path of filesBelow(directory, { refuse, depth: 0 })) {
    const name = relative(directory, path)
    if (files.length === maximumFiles) {
      refuse(name, `more than ${maximumFiles} files`, 'name the directory of the sign-in chain only')
      break
    }
    if (statSync(path).size > maximumFileBytes) refuse(name, `larger than ${maximumFileBytes >> 20} MiB`)
    else files.push(fileText(name, readFileSync(path, 'utf8')))
  }
  return files
}

type Refuse = (path: string, message: string, fix?: string) => void

function* filesBelow(folder: string, { refuse, depth }: { refuse: Refuse; depth: number }): Generator<string> {
  for (const entry of entriesOf(folder, refuse)) {
    const path = join(folder, entry.name)
    if (!entry.isDirectory()) {
      if (statSync(path, { throwIfNoEntry: false })?.isFile()) yield path
    } else if (depth === maximumDepth) refuse(path, `nested deeper than ${maximumDepth} folders`)
    else yield* filesBelow(path, { refuse, depth: depth + 1 })
  }
}

function entriesOf(folder: string, refuse: Refuse): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith('.') && name !== 'node_modules')
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    refuse(folder, code === 'ENOENT' ? 'no such directory' : `cannot be read (${code})`, 'name a directory')
    return []
  }
}
