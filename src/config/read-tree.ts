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
  const nameOf = (path: string) => relative(directory, path) || directory
  const refuse: Refuse = (path, message, fix) => problems.error(namedSource(nameOf(path)), [], message, fix)
  for (const path of filesBelow(directory, { refuse, depth: 0 })) {
    if (files.length === maximumFiles) {
      refuse(path, `more than ${maximumFiles} files`, 'name the directory of the sign-in chain only')
      break
    }
    const text = readFile(path, refuse)
    if (text !== undefined) files.push(fileText(nameOf(path), text))
  }
  return files
}

/** Reads one text file; `undefined` and a problem at `name` where it is absent, too large or not readable. */
export function readTextFile(
  path: string,
  { problems, name = path }: { problems: Problems; name?: string },
): SourceText | undefined {
  const text = readFile(path, (_, message, fix) => problems.error(namedSource(name), [], message, fix))
  return text === undefined ? undefined : fileText(name, text)
}

function readFile(path: string, refuse: Refuse): string | undefined {
  try {
    if (statSync(path).size <= maximumFileBytes) return readFileSync(path, 'utf8')
    refuse(path, `larger than ${maximumFileBytes >> 20} MiB`)
  } catch (error) {
    const { code = 'unknown reason' } = error as NodeJS.ErrnoException
    refuse(path, `cannot be read (${reasons[code] ?? code})`)
  }
  return undefined
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'no permission',
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
