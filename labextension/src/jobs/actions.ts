/**
 * What a view of a job can ask for. The commands do it.
 */

import type { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';
import { CommandIDs } from '../tokens';

/** Runs the commands of jobs for a view. */
export class JobActions {
  constructor(private readonly commands: CommandRegistry) {}

  open(id: string): void {
    this.run(CommandIDs.openJob, id);
  }

  cancel(id: string): void {
    this.run(CommandIDs.cancelJob, id);
  }

  rerun(id: string): void {
    this.run(CommandIDs.rerunJob, id);
  }

  /** Put the code that fetches a result on the clipboard. */
  copyResult(name: string, variable: string): void {
    void this.commands.execute(CommandIDs.copyResult, { name, variable });
  }

  /** Show the menu of everything that can be done with a job, below `anchor`. */
  menu(id: string, anchor: HTMLElement): void {
    const menu = new Menu({ commands: this.commands });
    const args = { id };
    menu.addItem({ command: CommandIDs.openJob, args });
    menu.addItem({ command: CommandIDs.rerunJob, args });
    menu.addItem({ command: CommandIDs.cancelJob, args });
    menu.addItem({ type: 'separator' });
    menu.addItem({ command: CommandIDs.openMlflow, args });
    menu.addItem({ command: CommandIDs.downloadNotebook, args });
    menu.addItem({ type: 'separator' });
    menu.addItem({ command: CommandIDs.deleteJob, args });
    const { left, bottom } = anchor.getBoundingClientRect();
    menu.aboutToClose.connect(() => {
      anchor.focus();
      // The item's command runs after the menu closed.
      setTimeout(() => menu.dispose());
    });
    menu.open(left, bottom);
  }

  private run(command: string, id: string): void {
    void this.commands.execute(command, { id });
  }
}
