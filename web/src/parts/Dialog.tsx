import { Modal } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  label: string;
  opened?: boolean;
  onClose: () => void;
  children: ReactNode;
}

/** A dialog. Mantine's own head of one would be a second banner of the page. */
export function Dialog({ label, opened = true, onClose, children }: Props) {
  return (
    <Modal.Root opened={opened} onClose={onClose}>
      <Modal.Overlay />
      <Modal.Content aria-label={label}>
        <Modal.Body p="lg">{children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
