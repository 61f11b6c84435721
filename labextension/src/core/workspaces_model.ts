/** Which workspace a page shows: the one of the folder a person is in, or another one of their choice. */

import { batch, signal } from '@preact/signals';

import { RETRY_MS, toldFault, type Client } from './client';
import type { Fault, WorkspaceInfo } from './contract';

export class WorkspacesModel {
  readonly all = signal<readonly WorkspaceInfo[]>([]);
  /** The one that is shown; null as long as the folder has none and no other one was chosen. */
  readonly current = signal<WorkspaceInfo | null>(null);
  readonly fault = signal<Fault | null>(null);
  private folder: string | null = null;
  /** A person's own choice stays until the folder changes, or comes to have a workspace. */
  private chosen: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly client: Client) {}

  /** Whether the folder has a workspace, as far as is known. */
  get found(): boolean {
    return this.all.peek().some(each => each.current);
  }

  /** Look again, as seen from a folder below the server's root; tried again until the server tells. */
  async look(folder: string): Promise<void> {
    if (folder !== this.folder) {
      this.chosen = null;
    }
    this.folder = folder;
    clearTimeout(this.timer);
    try {
      const { workspaces } = await this.client.workspaces(folder);
      if (folder !== this.folder) {
        return;
      }
      batch(() => this.take(workspaces));
    } catch (error) {
      if (folder === this.folder) {
        this.fault.value = toldFault(error);
        clearTimeout(this.timer);
        this.timer = setTimeout(() => void this.look(folder), RETRY_MS);
      }
    }
  }

  /** Show this one; without a key, that of the folder. */
  choose(key: string): void {
    this.chosen = key === '' ? null : key;
    this.show();
  }

  private take(workspaces: readonly WorkspaceInfo[]): void {
    const here = workspaces.find(each => each.current);
    if (here !== undefined && !this.all.peek().some(each => each.key === here.key && each.current)) {
      this.chosen = null;
    }
    this.fault.value = null;
    this.all.value = workspaces;
    this.show();
  }

  private show(): void {
    const all = this.all.peek();
    const next = all.find(each => each.key === this.chosen) ?? all.find(each => each.current) ?? null;
    if (next?.key !== this.current.peek()?.key) {
      this.current.value = next;
    }
  }
}

/** What a workspace is called in a list: of equal names, with the folders it lies in. */
export function titleIn(all: readonly WorkspaceInfo[], { key, name, path }: WorkspaceInfo): string {
  const alike = all.filter(each => each.name === name && each.key !== key);
  if (alike.length === 0) {
    return name;
  }
  const parts = foldersOf(path);
  for (let count = 1; count < parts.length; count++) {
    const end = parts.slice(-count).join('/');
    if (alike.every(each => foldersOf(each.path).slice(-count).join('/') !== end)) {
      return `${name} (…/${end})`;
    }
  }
  return `${name} (${path})`;
}

/** Folders down to the one that a person sees; data lie in a hidden one below it. */
function foldersOf(path: string): string[] {
  const parts = path.split('/').filter(part => part !== '');
  return parts.at(-1)?.startsWith('.') ? parts.slice(0, -1) : parts;
}
