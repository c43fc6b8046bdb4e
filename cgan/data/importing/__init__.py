"""Import of images: npz files, folders of pictures, arrays; checked before they are used."""
