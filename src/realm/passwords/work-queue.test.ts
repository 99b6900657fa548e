import { expect, test } from 'vitest'
import { openWorkQueue } from './work-queue.ts'

function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

test('so much runs at once, so much waits, the rest is refused at once', async () => {
  const queue = openWorkQueue({ running: 2, waiting: 1, waitingPerSource: 1 })
  const { open, opened } = gate()
  const started: number[] = []
  const work = (id: number) => async () => {
    started.push(id)
    await opened
    return id
  }
  const accepted = [queue(work(1)), queue(work(2)), queue(work(3))]
  await expect(queue(work(4))).rejects.toMatchObject({ code: 'overloaded' })
  expect(started).toEqual([1, 2])
  open()
  expect(await Promise.all(accepted)).toEqual([1, 2, 3])
  expect(await queue(work(5))).toBe(5)
})

test('work that fails makes room for the next', async () => {
  const queue = openWorkQueue({ running: 1, waiting: 0, waitingPerSource: 0 })
  await expect(queue(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await queue(async () => 'yes')).toBe('yes')
})

test('one source fills its share of the line, and the others still get in', async () => {
  const queue = openWorkQueue({ running: 1, waiting: 4, waitingPerSource: 2 })
  const { open, opened } = gate()
  const work = async () => opened
  const accepted = [queue(work, 'flood'), queue(work, 'flood'), queue(work, 'flood')]
  await expect(queue(work, 'flood')).rejects.toMatchObject({ code: 'overloaded' })
  accepted.push(queue(work, 'neighbour'), queue(work))
  open()
  await Promise.all(accepted)
})
