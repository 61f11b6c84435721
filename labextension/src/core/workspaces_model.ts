/** Which workspace a page shows: the one of the folder a person is in, or another one of their choice. */

import { signal } from '@preact/signals';

import { toldFault, type Client } from './client';
import type { Fault, WorkspaceInfo } from './contract';

export class WorkspacesModel {
  readonly all = signal<readonly WorkspaceInfo[]>([]);
  readonly current = signal<WorkspaceInfo | null>(null);
  readonly fault = signal<Fault | null>(null);
  /** A person's own choice stays until the folder changes. */
  private folder: string | null = null;

  constructor(private readonly client: Client) {}

  /** Look again, as seen from a folder below the server's root. */
  async look(folder: string): Promise<void> {
    const moved = folder !== this.folder;
    this.folder = folder;
    try {
      const { workspaces } = await this.client.workspaces(folder);
      if (folder !== this.folder) {
        return;
      }
      this.fault.value = null;
      this.all.value = workspaces;
      const before = this.current.peek();
      const kept = moved ? undefined : workspaces.find(each => each.key === before?.key);
      const found = kept ?? workspaces.find(each => each.current) ?? workspaces.find(each => each.key === before?.key);
      const next = found ?? workspaces[0] ?? null;
      if (next?.key !== before?.key) {
        this.current.value = next;
      }
    } catch (error) {
      this.fault.value = toldFault(error);
    }
  }

  choose(key: string): void {
    this.current.value = this.all.peek().find(each => each.key === key) ?? this.current.peek();
  }
}
