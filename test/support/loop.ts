/** Counts turns of the event loop from now on, until it is asked how many there were. */
export function countTurns(): () => number {
  let turns = 0
  let counting = true
  const count = () => {
    turns += 1
    if (counting) setImmediate(count)
  }
  setImmediate(count)
  return () => {
    counting = false
    return turns
  }
}
