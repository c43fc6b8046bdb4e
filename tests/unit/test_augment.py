import torch

from cgan.data.augment import draw_offsets, shift_each, shift_together

CPU = torch.device("cpu")


def test_a_shift_moves_the_picture_and_fills_the_edge_with_background() -> None:
    images = torch.arange(1.0, 26.0).view(1, 1, 5, 5)
    random = torch.Generator().manual_seed(3)
    shifts = {tuple(shift_together(images, 1, random).flatten().tolist()) for _ in range(60)}
    assert len(shifts) == 9
    for shift in shifts:
        moved = torch.tensor(shift).view(5, 5)
        assert moved[1:4, 1:4].min() > 0
        assert set(moved[moved < 0].tolist()) <= {-1.0}


def test_no_shift_is_no_change() -> None:
    images = torch.rand(2, 3, 4, 5)
    assert shift_together(images, 0, torch.Generator()) is images
    assert draw_offsets(2, 0, torch.Generator(), CPU) is None
    assert shift_each(images, None) is images


def test_each_image_is_moved_by_its_own_offset() -> None:
    images = torch.rand(3, 2, 5, 4)
    offsets = torch.tensor([[1, 0], [0, -2], [0, 0]])
    moved = shift_each(images, offsets)
    assert torch.equal(moved[0, :, :4], images[0, :, 1:])
    assert (moved[0, :, 4] == -1).all()
    assert torch.equal(moved[1, :, :, 2:], images[1, :, :, :2])
    assert (moved[1, :, :, :2] == -1).all()
    assert torch.equal(moved[2], images[2])


def test_offsets_reach_both_ends() -> None:
    offsets = draw_offsets(500, 2, torch.Generator().manual_seed(0), CPU)
    assert offsets is not None
    assert sorted(offsets.unique().tolist()) == [-2, -1, 0, 1, 2]


def test_gradients_pass_a_shift_and_come_back_unmoved() -> None:
    images = torch.zeros(1, 1, 3, 3, requires_grad=True)
    moved = shift_each(images, torch.tensor([[1, 1]]))
    moved[0, 0, 0, 0].backward()
    assert images.grad is not None
    assert images.grad.nonzero().tolist() == [[0, 0, 1, 1]]
