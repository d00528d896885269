import { Button, Group, Modal, Text, Title } from "@mantine/core";
import type { PlanDocument } from "../api/documents";

interface Props {
  plan: PlanDocument;
  opened: boolean;
  busy: boolean;
  onClose: () => void;
  onAgree: () => void;
}

/** The last question before anything is changed. Mantine's own head of a dialog would be a second banner of the page. */
export function ApproveDialog({ plan, opened, busy, onClose, onAgree }: Props) {
  return (
    <Modal.Root opened={opened} onClose={onClose}>
      <Modal.Overlay />
      <Modal.Content aria-label={`Apply this plan to ${plan.cluster}?`}>
        <Modal.Body p="lg">
          <Title order={2} size="h4" mb="sm">
            Apply this plan to {plan.cluster}?
          </Title>
          <Text size="sm">
            Exactly these {plan.steps.length} steps are done. If something has moved since the plan was made,
            nothing is.
          </Text>
          <Group mt="lg" justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Not now
            </Button>
            <Button data-autofocus loading={busy} onClick={onAgree}>
              Apply {plan.steps.length} steps
            </Button>
          </Group>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
