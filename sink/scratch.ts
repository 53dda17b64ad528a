/**
 * The scratch folder: each sink has a part of it for as long as it lives, and removes what dead ones left.
 * Nothing in it is ever read by another run (design section 6).
 */

/** A part of the scratch folder that is ours while this process lives. */
export interface Scratch {
  /** Absolute path; empty at first. */
  folder: string;
  /** Removes it. */
  release(): Promise<void>;
}

const LOCK = "lock";

/**
 * Takes `<root>/<name>` and removes the parts of processes that are gone: their locks are free, since the
 * system drops a lock with its process, however that ends.
 */
export async function claimScratch(root: string, name: string): Promise<Scratch> {
  await Deno.mkdir(root, { recursive: true });
  // One at a time: between making a part and locking it, another sink would take it for a dead one's.
  using entrance = await Deno.open(`${root}/${LOCK}`, { create: true, write: true });
  await entrance.lock(true);
  await removeDead(root);
  const folder = `${root}/${name}`;
  await Deno.mkdir(folder);
  const lock = await Deno.open(`${folder}/${LOCK}`, { createNew: true, write: true });
  await lock.lock(true);
  return {
    folder,
    async release() {
      await Deno.remove(folder, { recursive: true });
      lock.close();
    },
  };
}

async function removeDead(root: string): Promise<void> {
  for await (const entry of Deno.readDir(root)) {
    if (entry.name === LOCK) continue;
    const path = `${root}/${entry.name}`;
    if (entry.isDirectory && await isAlive(path)) continue;
    await Deno.remove(path, { recursive: true });
  }
}

async function isAlive(folder: string): Promise<boolean> {
  try {
    using file = await Deno.open(`${folder}/${LOCK}`, { write: true });
    return !await file.tryLock(true);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
